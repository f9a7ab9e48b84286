import { Bus } from '#bus';

const FOR_EVER_MS = 2 ** 31 - 1;
const { call } = Bus.prototype;

/** Broken on purpose: a call waits for its answer for as long as it takes. */
Bus.prototype.call = function (contract, request, context) {
  return call.call(this, contract, request, context, FOR_EVER_MS) as never;
};
