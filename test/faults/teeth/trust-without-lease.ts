import { Revisions } from '../../../apps/gateway/src/auth/revisions.js';

/** Broken on purpose: a gateway believes what it remembers of keys for as long as it likes. */
Object.defineProperty(Revisions.prototype, 'isTrusted', { get: () => true });
