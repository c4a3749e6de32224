//! Text into words: lower case, letters and digits only, without those that say nothing.

const SILENT: &[&str] = &[
    "a", "about", "an", "and", "are", "as", "at", "but", "by", "from", "has", "in", "into", "is",
    "it", "its", "of", "on", "one", "or", "that", "the", "to", "where", "with",
];

/// The words of a text that are worth finding, in order.
pub fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| word.chars().count() > 1)
        .map(str::to_lowercase)
        .filter(|word| !SILENT.contains(&word.as_str()))
}

#[cfg(test)]
mod tests {
    use super::words;

    fn all(text: &str) -> Vec<String> {
        words(text).collect()
    }

    #[test]
    fn punctuation_and_case_do_not_count() {
        assert_eq!(
            all("Moss, **moss** & MOSS-green!"),
            ["moss", "moss", "moss", "green"]
        );
    }

    #[test]
    fn words_that_say_nothing_are_left_out() {
        assert_eq!(
            all("It is at the nest, a cup of moss"),
            ["nest", "cup", "moss"]
        );
    }

    #[test]
    fn letters_of_every_script_count() {
        assert_eq!(all("Zaunkönig Über ÉTÉ"), ["zaunkönig", "über", "été"]);
    }
}
