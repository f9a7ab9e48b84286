import { secondsByArea } from './cpu-profile.js';

describe('A profile by areas', () => {
  it('gives each area the time in which it was itself at work, and none to rest', () => {
    const at = (id: number, functionName: string, url = ''): { id: number; callFrame: object } => ({
      id,
      callFrame: { functionName, url },
    });
    const nodes = [
      at(1, '(idle)'),
      at(2, '(garbage collector)'),
      at(3, '(program)'),
      at(4, 'call', 'file:///somewhere/dist/libs/bus/src/bus.js'),
      at(5, 'record', 'file:///somewhere/dist/apps/gateway/src/activity-events.controller.js'),
      at(6, 'validate', 'file:///somewhere/node_modules/class-validator/cjs/index.js'),
      at(7, 'use', 'file:///somewhere/node_modules/@nestjs/core/router.js'),
      at(8, 'writeHead', 'node:_http_server'),
      at(9, 'emit', 'node:internal/timers'),
      at(10, 'stringify'),
    ];
    const samples = [...nodes.map(({ id }) => id), 4];
    const profile = { nodes, samples, timeDeltas: samples.map((id) => id * 1e6) };
    expect(secondsByArea(profile as Parameters<typeof secondsByArea>[0])).toEqual(
      new Map([
        ['JavaScript’s own functions', 10],
        ['node:timers', 9],
        ['libs/bus', 8],
        ['node:http', 8],
        ['@nestjs/core', 7],
        ['class-validator', 6],
        ['apps/gateway', 5],
        ['native code, system calls among it', 3],
        ['garbage collection', 2],
      ]),
    );
  });
});
