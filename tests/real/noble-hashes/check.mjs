// Compares what was built with what Node.js itself computes, as a module and as CommonJS.
import assert from 'node:assert/strict';
import { createHash, createHmac, hkdfSync, pbkdf2Sync, scryptSync } from 'node:crypto';
import { createRequire } from 'node:module';
import { writeFileSync } from 'node:fs';

const require = createRequire(import.meta.url);
const hex = (bytes) => Buffer.from(bytes).toString('hex');
const messages = [0, 1, 55, 56, 63, 64, 65, 127, 128, 1000, 100_000].map((length) =>
  Uint8Array.from({ length }, (_, i) => (i * 31 + length) & 255));

const names = {
  sha224: 'sha224', sha256: 'sha256', sha384: 'sha384', sha512: 'sha512', sha1: 'sha1', md5: 'md5',
  ripemd160: 'ripemd160', sha3_256: 'sha3-256', sha3_512: 'sha3-512', blake2b: 'blake2b512', blake2s: 'blake2s256',
};

let compared = 0;
const same = (ours, theirs) => {
  assert.equal(hex(ours), hex(theirs));
  compared += 1;
};

const load = {
  esm: (file) => import(`@noble/hashes/${file}`),
  cjs: (file) => require(`@noble/hashes/${file}`),
};
for (const [kind, get] of Object.entries(load)) {
  const parts = ['sha2', 'sha3', 'legacy', 'blake2', 'hmac', 'hkdf', 'pbkdf2', 'scrypt', 'utils'];
  const noble = Object.assign({}, ...(await Promise.all(parts.map(get))));
  for (const [ours, theirs] of Object.entries(names)) {
    for (const message of messages) same(noble[ours](message), createHash(theirs).update(message).digest());
  }
  for (const message of messages) {
    same(noble.hmac(noble.sha256, 'key', message), createHmac('sha256', 'key').update(message).digest());
  }
  same(noble.hkdf(noble.sha256, 'ikm', 'salt', 'info', 77), hkdfSync('sha256', 'ikm', 'salt', 'info', 77));
  same(noble.pbkdf2(noble.sha512, 'word', 'salt', { c: 50, dkLen: 40 }), pbkdf2Sync('word', 'salt', 50, 40, 'sha512'));
  same(noble.scrypt('word', 'salt', { N: 16, r: 8, p: 2, dkLen: 64 }), scryptSync('word', 'salt', 64, { N: 16, r: 8, p: 2 }));
  assert.equal(noble.randomBytes(16).length, 16);
  console.log(`${kind}: sound`);
}
writeFileSync(process.argv[2], `${compared} results compared\n`);
