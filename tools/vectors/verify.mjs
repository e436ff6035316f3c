// Recomputes every value of testdata/vectors.json with nothing but Node's
// standard library, from docs/formats.md and not from the Go code: canonical
// JSON, SHA-256, RFC 6962 trees, Ed25519, C2SP notes, receipts.
//
//   node tools/vectors/verify.mjs [vectors.json]
//
// One line per group with the number of values compared; every difference is
// named on standard error, and the exit code is then 1.
import { createHash, createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const path = process.argv[2] ?? fileURLToPath(new URL('../../testdata/vectors.json', import.meta.url));
const V = JSON.parse(readFileSync(path, 'utf8'));

// ---- comparing ----

let place = '', compared = 0, differences = 0;

function same(what, got, want) {
  compared++;
  const [g, w] = [got, want].map((x) => (Buffer.isBuffer(x) ? x.toString('base64') : typeof x === 'string' ? x : jcs(x)));
  if (g === w) return;
  differences++;
  console.error(`${place} ${what}\n  file has   ${w}\n  should be  ${g}`);
}

function group(name, items, check) {
  compared = 0;
  const before = differences;
  items.forEach((item, i) => {
    place = `${name}/${i}`;
    try { check(item, i); } catch (e) { differences++; console.error(`${place}: ${e.message}`); }
  });
  console.log(`${differences === before ? 'ok  ' : 'FAIL'} ${name}: ${items.length} vectors, ${compared} values`);
}

// ---- bytes, hashes, canonical JSON ----

const bytes = (...parts) => Buffer.concat(parts.map((p) => (typeof p === 'string' ? Buffer.from(p, 'utf8') : Buffer.from(p))));
const H = (...parts) => createHash('sha256').update(bytes(...parts)).digest();
const b64 = (b) => Buffer.from(b).toString('base64');
const un64 = (s) => {
  const b = Buffer.from(s, 'base64');
  if (b.toString('base64') !== s) throw new Error(`not padded base64: ${s}`);
  return b;
};
const u32 = (n) => { const b = Buffer.alloc(4); b.writeUInt32BE(n); return b; };
const u64 = (n) => { const b = Buffer.alloc(8); b.writeBigUInt64BE(BigInt(n)); return b; };

// RFC 8785: members sorted by UTF-16 code units; strings and numbers as
// ECMAScript writes them.
function jcs(v) {
  if (Array.isArray(v)) return '[' + v.map(jcs).join(',') + ']';
  if (v !== null && typeof v === 'object') {
    return '{' + Object.keys(v).sort().map((k) => JSON.stringify(k) + ':' + jcs(v[k])).join(',') + '}';
  }
  return JSON.stringify(v);
}

// Microseconds since 1970 from the six-decimal text, and back.
const instantText = (us) => {
  const ms = Math.floor(us / 1000);
  return new Date(ms).toISOString().slice(0, -1) + String(us - ms * 1000).padStart(3, '0') + 'Z';
};
const instantMicros = (t) => {
  const m = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3})(\d{3})Z$/.exec(t);
  if (!m) throw new Error(`not an instant: ${t}`);
  return Date.parse(m[1] + 'Z') * 1000 + Number(m[2]);
};

// ---- Merkle trees (RFC 6962 §2.1, by its recursive definitions) ----

const leafHash = (data) => H([0], data);
const node = (l, r) => H([1], l, r);
const half = (n) => { let k = 1; while (2 * k < n) k *= 2; return k; };

function root(hashes) {
  if (hashes.length === 0) return H('');
  if (hashes.length === 1) return hashes[0];
  const k = half(hashes.length);
  return node(root(hashes.slice(0, k)), root(hashes.slice(k)));
}

function auditPath(m, d) {
  if (d.length === 1) return [];
  const k = half(d.length);
  return m < k ? [...auditPath(m, d.slice(0, k)), root(d.slice(k))] : [...auditPath(m - k, d.slice(k)), root(d.slice(0, k))];
}

function subproof(m, d, whole) {
  if (m === d.length) return whole ? [] : [root(d)];
  const k = half(d.length);
  return m <= k ? [...subproof(m, d.slice(0, k), whole), root(d.slice(k))] : [...subproof(m - k, d.slice(k), false), root(d.slice(0, k))];
}

// The root an audit path leads to, going down from the whole tree.
function climb(hash, index, size, proof) {
  if (size === 1) {
    if (proof.length || index !== 0) throw new Error('the path has a wrong length');
    return hash;
  }
  if (!proof.length || index >= size) throw new Error('the path has a wrong length');
  const k = half(size), last = proof[proof.length - 1], rest = proof.slice(0, -1);
  return index < k ? node(climb(hash, index, k, rest), last) : node(last, climb(hash, index - k, size - k, rest));
}

// The perfect subtrees of a tree, the largest first.
function peaks(d) {
  const out = [];
  for (let at = 0; at < d.length;) {
    let k = 1;
    while (at + 2 * k <= d.length) k *= 2;
    out.push(root(d.slice(at, at + k)));
    at += k;
  }
  return out;
}

// ---- keys and notes (C2SP) ----

const privateKey = (seed) => createPrivateKey({ key: bytes(Buffer.from('302e020100300506032b657004220420', 'hex'), seed), format: 'der', type: 'pkcs8' });
const publicKey = (raw) => createPublicKey({ key: bytes(Buffer.from('302a300506032b6570032100', 'hex'), raw), format: 'der', type: 'spki' });
const publicOf = (priv) => createPublicKey(priv).export({ format: 'der', type: 'spki' }).subarray(12);
const ed25519 = (raw, text, sig) => verify(null, Buffer.from(text), publicKey(raw), sig);

const types = { note: 1, cosignature: 4 };
const keyHash = (name, type, raw) => H(name, [10, type], raw).subarray(0, 4);
const vkey = (name, type, raw) => `${name}+${keyHash(name, type, raw).toString('hex')}+${b64(bytes([type], raw))}`;

const keys = new Map(V.keys.map((k) => [k.name, { ...k, priv: privateKey(un64(k.seed)), raw: publicOf(privateKey(un64(k.seed))) }]));

// What follows the name on a signature line of a key, before base64.
const noteSignature = (name, text) => {
  const k = keys.get(name);
  return bytes(keyHash(name, 1, k.raw), sign(null, Buffer.from(text), k.priv));
};
const cosignatureMessage = (time, text) => `cosignature/v1\ntime ${time}\n${text}`;
const cosignature = (name, time, text) => {
  const k = keys.get(name);
  return bytes(keyHash(name, 4, k.raw), u64(time), sign(null, Buffer.from(cosignatureMessage(time, text)), k.priv));
};
const line = (name, sig) => `— ${name} ${b64(sig)}`;

function splitNote(note) {
  const cut = note.lastIndexOf('\n\n');
  const signatures = note.slice(cut + 2).split('\n').slice(0, -1).map(parseLine);
  return { text: note.slice(0, cut + 1), signatures };
}

function parseLine(l) {
  const m = /^— ([^ +]+) ([^ ]+)$/.exec(l);
  if (!m) throw new Error(`not a signature line: ${l}`);
  const b = un64(m[2]);
  return { name: m[1], hash: b.subarray(0, 4), sig: b.subarray(4) };
}

// Whether a raw key signed text under a name; a wrong claim throws.
function signedBy(text, signatures, name, type, raw) {
  const found = signatures.filter((s) => s.name === name && s.hash.equals(keyHash(name, type, raw)));
  for (const s of found) if (!ed25519(raw, text, s.sig)) throw new Error(`wrong signature of ${name}`);
  return found.length > 0;
}

// ---- the formats ----

const collectionOf = (genesis, area, epoch) => {
  const c = H('liaison/collection/1\0', genesis, u32(Buffer.byteLength(area)), area, u32(epoch)).subarray(0, 16);
  c[6] = (c[6] & 0x0f) | 0x40;
  c[8] = (c[8] & 0x3f) | 0x80;
  return c.toString('hex').replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, '$1-$2-$3-$4-$5');
};
const commit = (salt, data) => H('liaison/commit/1\0', salt, data);
const actHash = (act) => leafHash(jcs(act));
const batchText = (office, collection, size, r) => `liaison/batch/1\n${office}\n${collection}\n${size}\n${b64(r)}\n`;
const evidenceText = (e) => `liaison/evidence/1\n${jcs(e)}\n`;
const checkpointText = (origin, size, r) => `${origin}\n${size}\n${b64(r)}\n`;

const EXT_PARTY = 'extension-definition--892cd382-b656-47b8-b24c-68f8db9c139c';
const EXT_SIGNED = 'extension-definition--39f4b814-6a39-4218-ba38-a19f8a2d7128';
const unsigned = (object) => {
  const { extensions: all, ...rest } = object;
  const { [EXT_SIGNED]: _, ...extensions } = all ?? {};
  return jcs(Object.keys(extensions).length ? { ...rest, extensions } : rest);
};
const objectText = (object) => `liaison/object/1\n${object.type}\n${object.id}\n${b64(H(unsigned(object)))}\n`;
const linesOf = (object) => {
  const ext = object.extensions?.[EXT_SIGNED] ?? { extension_type: 'property-extension', signatures: [] };
  if (ext.extension_type !== 'property-extension') throw new Error(`extension_type of ${EXT_SIGNED}`);
  return ext.signatures;
};

// Makes the notes and signatures anew that came with an object or a checkpoint.
const linesAgain = (object) => linesOf(object).map((l) => line(parseLine(l).name, noteSignature(parseLine(l).name, objectText(object))));
function noteAgain(note) {
  const { text, signatures } = splitNote(note);
  const again = signatures.map((s) => {
    const cosigned = keys.get(s.name).type === 'cosignature';
    return line(s.name, cosigned ? cosignature(s.name, Number(s.sig.readBigUInt64BE()), text) : noteSignature(s.name, text)) + '\n';
  });
  return text + '\n' + again.join('');
}

function parsePin(text) {
  const lines = text.split('\n').filter((l) => l && !l.startsWith('#'));
  if (lines.shift() !== 'liaison/pin/1') throw new Error('not a pin');
  const pin = { keys: [], threshold: 0 };
  for (const l of lines) {
    if (l.startsWith('threshold ')) pin.threshold = Number(l.slice(10));
    else if (l.startsWith('key ')) pin.keys.push(l.slice(4));
    else throw new Error(`pin line ${l}`);
  }
  return pin;
}

function pinVerifies(pin, object) {
  const signatures = linesOf(object).map(parseLine);
  const found = pin.keys.filter((k) => {
    const [, name, b] = /^([^+]+)\+[0-9a-f]{8}\+(.+)$/.exec(k); // base64 may have a plus too
    return signedBy(objectText(object), signatures, name, 1, un64(b).subarray(1));
  });
  return found.length >= pin.threshold;
}

// What a receipt proves, or an exception.
function readReceipt(r, pin) {
  const demand = (ok, what) => { if (!ok) throw new Error(`receipt: ${what}`); };
  const a = r.keys.authority;
  if (a) {
    demand(jcs([...a.keys].sort()) === jcs([...pin.keys].sort()) && a.threshold === pin.threshold, 'keys/authority is not the pinned one');
    demand(pinVerifies(pin, a), 'keys/authority is not signed');
  }
  const offices = new Map();
  r.keys.offices.forEach((o, i) => {
    demand(pinVerifies(pin, o), `keys/offices/${i} is not signed`);
    demand(!offices.has(o.name), `keys/offices/${i} is there twice`);
    offices.set(o.name, o);
  });
  const keysOf = (office, use, ok) => offices.get(office).keys.filter((k) => k.use === use && ok(k)).map((k) => un64(k.key));
  const actHashHere = actHash(r.act);
  const hops = r.hops.map((h, i) => {
    const { text, signatures } = splitNote(h.checkpoint);
    const [origin, size, rootText] = text.split('\n');
    demand(text === checkpointText(origin, size, un64(rootText)), `hops/${i}/checkpoint has more than three lines`);
    const [office, collection] = origin.split('/');
    demand(collection === r.act.collection, `hops/${i} is of another collection`);
    const log = keysOf(office, 'log', (k) => !k.until || h.leaf.added < k.until);
    demand(log.filter((k) => signedBy(text, signatures, origin, 1, k)).length > 0, `hops/${i}/checkpoint is not signed`);
    demand(climb(leafHash(jcs(h.leaf)), h.index, Number(size), h.path.map(un64)).equals(un64(rootText)), `hops/${i}/path`);
    const cosigned = [];
    for (const o of offices.values()) {
      if (o.name === office) continue;
      const name = `${o.name}/witness`;
      for (const raw of keysOf(o.name, 'witness', () => true)) {
        for (const s of signatures) {
          if (s.name !== name || !s.hash.equals(keyHash(name, 4, raw))) continue;
          const time = Number(s.sig.readBigUInt64BE());
          demand(ed25519(raw, cosignatureMessage(time, text), s.sig.subarray(8)), `hops/${i}/checkpoint: cosignature of ${o.name}`);
          cosigned.push({ office: o.name, time });
        }
      }
    }
    return { office, origin, kind: h.leaf.kind, index: h.index, size: Number(size), added: h.leaf.added, cosigned };
  });
  r.hops.forEach((h, i) => {
    demand(un64(h.leaf.act).equals(actHashHere), `hops/${i} records another act`);
    if (i === 0) demand(!h.leaf.via && h.leaf.added === r.act.accepted && hops[0].office === r.act.office, 'hops/0 is not the first door');
    else demand(h.leaf.via.origin === hops[i - 1].origin && h.leaf.via.index === hops[i - 1].index, `hops/${i}/leaf/via`);
    const beside = hops[i + 1] ?? hops[i - 1];
    if (beside) demand(hops[i].cosigned.some((c) => c.office === beside.office), `hops/${i}/checkpoint is not cosigned by ${beside.office}`);
  });
  checkBatch(r.act, r.batch, keysOf(r.act.office, 'act', (k) => k.from <= r.act.accepted && (!k.until || r.act.accepted < k.until)));
  const p = r.programme, under = H(unsigned(p));
  demand(un64(r.act.under).equals(under), 'programme is not the version the act is under');
  let by;
  if (!pinVerifies(pin, p)) {
    by = p.kind === 'directed' && [...offices.keys()].find((o) =>
      keysOf(o, 'act', () => true).some((k) => signedBy(objectText(p), linesOf(p).map(parseLine), `${o}/act`, 1, k)));
    demand(by, 'programme is not signed');
  }
  const genesis = p.version === 1 ? under : un64(p.genesis);
  const epochOf = (area) => p.epochs?.find((e) => e.area === area)?.number ?? 1;
  let area, epoch;
  for (const x of ['charter', ...p.areas]) {
    for (let e = epochOf(x); e > 0; e--) if (collectionOf(genesis, x, e) === r.act.collection) [area, epoch] = [x, e];
  }
  demand(area, 'act/collection is no area');
  if (r.object) demand(commit(un64(r.object.salt), un64(r.object.bytes)).equals(un64(r.act.commit)), 'object');
  return {
    act: b64(actHashHere), area, epoch, ...(by ? { programme_by: by } : {}), object: Boolean(r.object),
    hops: hops.map(({ origin, ...h }) => h),
  };
}

function checkBatch(act, proof, rawKeys) {
  const r = climb(actHash(act), proof.index, proof.size, proof.path.map(un64));
  const text = batchText(act.office, act.collection, proof.size, r), sig = un64(proof.sig), name = `${act.office}/act`;
  if (!rawKeys.some((k) => keyHash(name, 1, k).equals(sig.subarray(0, 4)) && ed25519(k, text, sig.subarray(4)))) {
    throw new Error('batch is not signed');
  }
}

// ---- the groups ----

group('keys', V.keys, (k) => {
  const type = types[k.type];
  const raw = publicOf(privateKey(un64(k.seed)));
  same('public', raw, k.public);
  same('hash', keyHash(k.name, type, raw).toString('hex'), k.hash);
  same('vkey', vkey(k.name, type, raw), k.vkey);
});

group('jcs', V.jcs, (c) => {
  same('canonical', jcs(JSON.parse(c.input)), c.canonical);
  same('h', H(c.canonical), c.h);
});

group('instants', V.instants, (i) => {
  same('text', instantText(i.microseconds), i.text);
  same('microseconds', instantMicros(i.text), i.microseconds);
});

group('programmes', V.programmes, (p) => {
  same('unsigned', unsigned(p.object), p.unsigned);
  same('under', H(p.unsigned), p.under);
  same('signatures', linesAgain(p.object), linesOf(p.object));
  same('genesis', p.object.version === 1 ? H(p.unsigned) : p.object.genesis, p.genesis);
  if (p.object.version > 1) same('genesis of version 1', H(unsigned(V.programmes[0].object)), p.genesis);
});

group('collections', V.collections, (c) => {
  same('genesis', V.programmes[0].genesis, c.genesis);
  same('id', collectionOf(un64(c.genesis), c.area, c.epoch), c.id);
});

group('commits', V.commits, (c) => same('commit', commit(un64(c.salt), un64(c.bytes)), c.commit));

group('acts', V.acts, (a) => {
  same('jcs', jcs(a.act), a.jcs);
  same('hash', H([0], a.jcs), a.hash);
  const p = V.programmes.find((x) => x.under === a.act.under);
  const epoch = p.object.epochs?.find((e) => e.area === 'disinformation')?.number ?? 1;
  same('collection', collectionOf(un64(p.genesis), 'disinformation', epoch), a.act.collection);
  if (a.act.erases) same('erases', V.acts[0].hash, a.act.erases);
});

group('batches', V.batches, (b) => {
  const hashes = b.acts.map(un64), r = root(hashes);
  same('root', r, b.root);
  same('text', batchText(b.office, b.collection, hashes.length, r), b.text);
  same('key', `${b.office}/act`, b.key);
  same('proofs', b.proofs.length, hashes.length);
  b.proofs.forEach((p, i) => {
    same(`proofs/${i}/index`, i, p.index);
    same(`proofs/${i}/size`, hashes.length, p.size);
    same(`proofs/${i}/path`, auditPath(i, hashes).map(b64), p.path);
    same(`proofs/${i}/sig`, noteSignature(b.key, b.text), p.sig);
    same(`proofs/${i} leads to`, climb(hashes[i], i, hashes.length, p.path.map(un64)), b.root);
  });
});

group('leaves', V.leaves, (l) => {
  same('jcs', jcs(l.leaf), l.jcs);
  same('hash', leafHash(l.jcs), l.hash);
});

group('log', [V.log], (l) => {
  const d = l.leaves.map(leafHash);
  same('leaves', V.leaves.map((x) => x.jcs), l.leaves);
  same('roots', l.roots.length, d.length + 1);
  l.roots.forEach((r, size) => same(`roots/${size}`, root(d.slice(0, size)), r));
  l.ranges.forEach((r, size) => same(`ranges/${size}`, bytes(u64(size), ...peaks(d.slice(0, size))), r));
  const pairs = (first) => d.flatMap((_, i) => Array.from({ length: i + 1 }, (_, j) => [j + first, i + 1]));
  same('inclusion', l.inclusion.map((p) => [p.index, p.size]), pairs(0));
  l.inclusion.forEach((p) => {
    same(`inclusion ${p.index} in ${p.size}`, auditPath(p.index, d.slice(0, p.size)).map(b64), p.path);
    same(`inclusion ${p.index} in ${p.size} leads to`, climb(d[p.index], p.index, p.size, p.path.map(un64)), l.roots[p.size]);
  });
  same('consistency', l.consistency.map((p) => [p.size1, p.size2]), pairs(1));
  l.consistency.forEach((p) => same(`consistency ${p.size1} to ${p.size2}`, subproof(p.size1, d.slice(0, p.size2), true).map(b64), p.proof));
});

group('checkpoints', V.checkpoints, (c) => {
  same('text', checkpointText(c.origin, c.size, un64(c.root)), c.text);
  same('key', c.origin, c.key);
  if (c.size === 0) same('root', H(''), c.root);
  const lines = [line(c.key, noteSignature(c.key, c.text))];
  for (const w of c.cosignatures) {
    same(`message of ${w.key}`, cosignatureMessage(w.time, c.text), w.message);
    same(`line of ${w.key}`, line(w.key, cosignature(w.key, w.time, c.text)), w.line);
    lines.push(w.line);
  }
  same('note', c.text + '\n' + lines.map((l) => l + '\n').join(''), c.note);
});

group('signed', V.signed, (s) => {
  const object = JSON.parse(s.object);
  same('unsigned', unsigned(object), s.unsigned);
  same('text', objectText(object), s.text);
  same('lines', s.keys.map((k) => line(k, noteSignature(k, s.text))), s.lines);
  const plain = JSON.parse(s.unsigned);
  (plain.extensions ??= {})[EXT_SIGNED] = { extension_type: 'property-extension', signatures: s.lines };
  same('object', jcs(plain), s.object);
  same('pin', V.pins[0].text, s.pin);
  const party = object.extensions[EXT_PARTY] ? 'party' : 'signed';
  same('schema', object.type === 'identity' ? party : object.type, s.schema);
  same('verifies', pinVerifies(parsePin(s.pin), object), s.verifies);
});

group('evidence', V.evidence, (e) => {
  same('text', evidenceText(e.signed.evidence), e.text);
  same('key', `${e.signed.evidence.office}/act`, e.key);
  same('sig', noteSignature(e.key, e.text), e.signed.sig);
});

group('pins', V.pins, (p) => {
  same('keys', parsePin(p.text).keys, p.keys);
  same('threshold', parsePin(p.text).threshold, p.threshold);
  p.keys.forEach((k) => same('key', keys.get(k.split('+')[0]).vkey, k));
});

group('travels', V.travels, ({ travels: t }) => {
  checkBatch(t.act, t.batch, [keys.get(`${t.act.office}/act`).raw]);
  if (t.salt) same('commit', commit(un64(t.salt), un64(t.bytes)), t.act.commit);
  t.hops.forEach((h, i) => {
    const { text } = splitNote(h.checkpoint);
    const [, size, r] = text.split('\n');
    same(`hops/${i}`, climb(leafHash(jcs(h.leaf)), h.index, Number(size), h.path.map(un64)), r);
    same(`hops/${i}/checkpoint`, noteAgain(h.checkpoint), h.checkpoint);
    same(`hops/${i}/leaf/act`, actHash(t.act), h.leaf.act);
  });
});

group('receipts', V.receipts, (r) => {
  const pin = parsePin(r.pin), report = readReceipt(r.receipt, pin);
  same('report', report, r.report);
  same('pin', V.pins[0].text, r.pin);
  same('v', 'receipt/1', r.receipt.v);
  // Every note and signature of a receipt is made again, so that a byte no check
  // looks at would still be found.
  r.receipt.hops.forEach((h, i) => same(`hops/${i}/checkpoint`, noteAgain(h.checkpoint), h.checkpoint));
  for (const o of [...r.receipt.keys.offices, r.receipt.programme, ...(r.receipt.keys.authority ? [r.receipt.keys.authority] : [])]) {
    same(`signatures of ${o.id}`, linesAgain(o), linesOf(o));
  }
});

const read = ['keys', 'jcs', 'instants', 'programmes', 'collections', 'commits', 'acts', 'batches', 'leaves', 'log',
  'checkpoints', 'signed', 'evidence', 'pins', 'travels', 'receipts'];
place = 'groups';
same('in the file', [...read].sort(), Object.keys(V).sort());

if (differences) console.error(`${differences} differences`);
process.exitCode = differences ? 1 : 0;
