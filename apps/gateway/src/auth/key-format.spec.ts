import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import {
  hashOf,
  idOfForeignKey,
  keyFrom,
  keyIdOf,
  mintKey,
  randomKey,
  type KeyKind,
  type KeyParts,
} from './key-format.js';

const SECRET = 'the secret of this instance';
const kinds = fc.constantFrom<KeyKind[]>('operator', 'member', 'device');

describe('a key', () => {
  it('is flt, its kind, its id, its secret and a checksum', () => {
    fc.assert(
      fc.property(kinds, (kind) => {
        for (const key of [mintKey(SECRET, kind).key, randomKey(kind)])
          expect(key).toMatch(new RegExp(`^flt_${kind}_[0-9a-f]{32}_[0-9a-f]{48}$`));
      }),
    );
  });

  it('says its own id', () => {
    fc.assert(
      fc.property(kinds, fc.uuid(), (kind, id) => {
        expect(keyIdOf(mintKey(SECRET, kind, id).key)).toBe(id);
      }),
    );
  });

  it('is known for a typo wherever one character is another', () => {
    fc.assert(
      fc.property(kinds, fc.nat(), fc.constantFrom(...'0123456789abcdefX_ '), (kind, at, other) => {
        const key = randomKey(kind);
        const place = at % key.length;
        fc.pre(key[place] !== other);
        expect(keyIdOf(key.slice(0, place) + other + key.slice(place + 1))).toBeUndefined();
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ['nothing', ''],
    ['a part of one', randomKey('member').slice(0, -1)],
    ['one and a character', `${randomKey('member')}0`],
    ['one and a line break', `${randomKey('member')}\n`],
    ['one in capitals', randomKey('member').toUpperCase()],
    ['one of no known kind', randomKey('member').replace('member', 'admin')],
    ['one whose kind was changed', randomKey('device').replace('device', 'member')],
    ['something else', 'Bearer x'],
  ])('is not %s', (_, text) => {
    expect(keyIdOf(text)).toBeUndefined();
  });

  it('can be written again from what is kept, with the secret of the instance and not without', () => {
    const minted = mintKey(SECRET, 'device');
    expect(keyFrom(SECRET, minted)).toBe(minted.key);
    expect(keyFrom('another secret', minted)).not.toBe(minted.key);
    expect(minted.key).not.toContain(minted.salt);
  });

  it('is not in what is made of it as JSON, which is enough to write it again', () => {
    const minted = mintKey(SECRET, 'device');
    const kept = JSON.stringify(minted);
    expect(kept).not.toContain(minted.key.slice(-48));
    expect(keyFrom(SECRET, JSON.parse(kept) as KeyParts)).toBe(minted.key);
  });

  it('is never minted twice, not even for one id', () => {
    const { id } = mintKey(SECRET, 'member');
    const keys = Array.from({ length: 100 }, () => mintKey(SECRET, 'member', id).key);
    expect(new Set(keys).size).toBe(100);
  });

  it('is kept as a hash that hangs on the key and on the secret of the instance', () => {
    const [one, other] = [randomKey('member'), randomKey('member')];
    const hashes = [hashOf(SECRET, one), hashOf(SECRET, other), hashOf('another secret', one)];
    expect(new Set(hashes.map((hash) => hash.toString('hex'))).size).toBe(3);
    expect(hashOf(SECRET, one)).toEqual(hashes[0]);
  });

  it('of the operator’s own making has one id, a UUID that says nothing of it', () => {
    const key = randomBytes(12).toString('hex');
    const id = idOfForeignKey(SECRET, key);
    expect(id).toMatch(/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/);
    expect(idOfForeignKey(SECRET, key)).toBe(id);
    expect(idOfForeignKey('another secret', key)).not.toBe(id);
  });
});
