import { type GatewayConfig } from '../gateway.config.js';
import { hashOf, mintKey } from './key-format.js';
import { KeyRing } from './key-ring.js';
import { type Holder, type KeysRepository } from './keys.repository.js';
import { type Revisions } from './revisions.js';

const KEY_SECRET = 'a secret of an instance';
const { id, key } = mintKey(KEY_SECRET, 'member');
const holder = {
  secret_hash: hashOf(KEY_SECRET, key),
  principal: { caller: { key_id: id }, expires_at_ms: Infinity },
} as Holder;

it('a request on a gateway that hears of no revocations is not let in by what another has asked before it', async () => {
  const asked: PromiseWithResolvers<Holder | undefined>[] = [];
  const keys = {
    holder: (of: string) => {
      expect(of).toBe(id);
      const answer = Promise.withResolvers<Holder | undefined>();
      asked.push(answer);
      return answer.promise;
    },
  } as unknown as KeysRepository;
  const deaf = { isTrusted: false, onChange: () => undefined } as unknown as Revisions;
  const ring = new KeyRing(keys, deaf, { KEY_SECRET } as GatewayConfig);

  const before = ring.holderOf(key);
  const after = ring.holderOf(key);
  asked.at(-1)!.resolve(undefined);
  asked[0]!.resolve(holder);
  expect(await before).toBe(holder.principal);
  expect(await after).toBeUndefined();
});
