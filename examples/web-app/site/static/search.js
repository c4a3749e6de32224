// Finds pages as the reader types, in the index that was built with the site.
const index = fetch("search-index.json").then((answer) => answer.json());
const form = document.getElementById("search");
const hits = document.getElementById("hits");

const words = (text) => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];

form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("input", async () => {
  const { pages, terms } = await index;
  const scores = new Map();
  for (const word of words(form.q.value)) {
    for (const [term, places] of Object.entries(terms)) {
      if (!term.startsWith(word)) continue;
      for (const [page, weight] of places) scores.set(page, (scores.get(page) ?? 0) + weight);
    }
  }
  const found = [...scores].sort((a, b) => b[1] - a[1] || a[0] - b[0]);
  hits.hidden = found.length === 0;
  hits.replaceChildren(...found.map(([page]) => {
    const link = document.createElement("a");
    link.href = pages[page].url;
    link.textContent = pages[page].title;
    const item = document.createElement("li");
    item.append(link);
    return item;
  }));
});
