// Taplo's language server, which is a module for extensions of editors, on standard input and output.
//
// node server.cjs FOLDER: FOLDER holds the node_modules with @taplo/lsp.

const fs = require("node:fs");
const path = require("node:path");
const url = require("node:url");

const { TaploLsp } = require(path.join(process.argv[2], "node_modules", "@taplo", "lsp"));

// It looks for a catalog of schemas on the network, whatever its settings; here only files have any.
globalThis.fetch = async () => {
  throw new TypeError("there is no network here");
};

const HEADER_END = "\r\n\r\n";

const environment = {
  now: () => new Date(),
  envVar: (name) => process.env[name],
  envVars: () => Object.entries(process.env),
  stdErrAtty: () => false,
  stdin: process.stdin,
  stdout: process.stderr,
  stderr: process.stderr,
  glob: () => [],
  readFile: (name) => fs.promises.readFile(name),
  writeFile: (name, bytes) => fs.promises.writeFile(name, bytes),
  // It asks about addresses that are no files, too, and ends at an exception.
  urlToFilePath: (text) => (text.startsWith("file:") ? url.fileURLToPath(text) : text),
  isAbsolute: (name) => path.isAbsolute(name),
  cwd: () => process.cwd(),
  findConfigFile: () => undefined,
};

function say(message) {
  const body = Buffer.from(JSON.stringify(message));
  process.stdout.write(`Content-Length: ${body.length}${HEADER_END}`);
  process.stdout.write(body);
}

async function main() {
  const server = await TaploLsp.initialize(environment, { onMessage: say });
  let pending = Buffer.alloc(0);
  process.stdin.on("data", (chunk) => {
    pending = Buffer.concat([pending, chunk]);
    for (;;) {
      const end = pending.indexOf(HEADER_END);
      if (end < 0) return;
      const start = end + HEADER_END.length;
      const length = Number(/content-length: *(\d+)/i.exec(pending.toString("latin1", 0, end))[1]);
      if (pending.length < start + length) return;
      const message = JSON.parse(pending.toString("utf8", start, start + length));
      pending = pending.subarray(start + length);
      if (message.method === "exit") process.exit(0);
      server.send(message);
    }
  });
  process.stdin.on("end", () => process.exit(0));
}

main();
