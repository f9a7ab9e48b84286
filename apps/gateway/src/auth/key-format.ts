import { createHmac, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { v7 as uuidv7 } from 'uuid';

export type KeyKind = 'operator' | 'member' | 'device';

const FORMAT = /^flt_(operator|member|device)_([0-9a-f]{32})_([0-9a-f]{40})([0-9a-f]{8})$/;

/** What may be kept of a key, only to answer a repeat: with the instance's secret, enough to write the same key again. */
export interface KeyParts {
  id: string;
  kind: KeyKind;
  salt: string;
}

/** A new key: `key` is for its owner alone, and never in what is made of it as JSON. */
export class MintedKey implements KeyParts {
  readonly id: string;
  readonly kind: KeyKind;
  readonly salt: string;
  readonly key: string;

  constructor(instance_secret: string, { id, kind, salt }: KeyParts) {
    this.id = id;
    this.kind = kind;
    this.salt = salt;
    this.key = keyFrom(instance_secret, { id, kind, salt });
  }

  toJSON(): KeyParts {
    const { id, kind, salt } = this;
    return { id, kind, salt };
  }
}

/** `flt_<kind>_<id>_<secret><checksum>`: the id finds its row, the checksum refuses a typo without a look-up. */
function format(kind: KeyKind, id: string, secret: string): string {
  const body = `flt_${kind}_${id.replaceAll('-', '')}_${secret}`;
  return body + checksum(body);
}

function checksum(body: string): string {
  return crc32(body).toString(16).padStart(8, '0');
}

/** Writes a key from its parts. Neither the instance's secret nor the salt alone is worth anything. */
export function keyFrom(instance_secret: string, { kind, id, salt }: KeyParts): string {
  return format(
    kind,
    id,
    createHmac('sha256', instance_secret).update(`${id}:${salt}`).digest('hex').slice(0, 40),
  );
}

export function mintKey(instance_secret: string, kind: KeyKind, id = uuidv7()): MintedKey {
  return new MintedKey(instance_secret, { id, kind, salt: randomBytes(20).toString('hex') });
}

/** A key for the first start, when there is no instance to ask yet. */
export function randomKey(kind: KeyKind): string {
  return format(kind, uuidv7(), randomBytes(20).toString('hex'));
}

/** The id of a key that is written as ours are; undefined for anything else, a typo included. */
export function keyIdOf(key: string): string | undefined {
  const match = FORMAT.exec(key);
  if (!match || checksum(key.slice(0, -8)) !== match[4]) return undefined;
  return uuidOf(match[2]!);
}

/** The id under which a key of the operator's own making is kept. */
export function idOfForeignKey(instance_secret: string, key: string): string {
  return uuidOf(hashOf(instance_secret, key).toString('hex').slice(0, 32));
}

/** The keyed hash that stands in the database. */
export function hashOf(instance_secret: string, key: string): Buffer {
  return createHmac('sha256', instance_secret).update(key).digest();
}

function uuidOf(hex: string): string {
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
