import { fork } from 'node:child_process';
import { once } from 'node:events';
import { queryEvents } from '#contracts';
import { context, eventually } from '#testing';
import { insertLarge } from './event-builders.js';
import { activityEvents } from './start-activity-events.js';

describe('the memory of a pod', () => {
  it('has room for many readers of large events at once', async () => {
    const service = await activityEvents();
    // As much as Node takes of the 512 MiB that a pod has.
    const pod = fork('dist/bundles/apps/activity-events/src/main.js', [], {
      execArgv: ['--max-old-space-size=256'],
      env: { ...process.env, ...service.environment },
      stdio: ['ignore', 'inherit', 'ignore', 'ipc'],
    });
    await once(pod, 'message');
    const [bus, reader] = [await service.gateway(), context()];
    await insertLarge(service.urls, reader.caller.project_id, 250);
    // Of different questions, as those who ask the same are answered once.
    const questions = Array.from({ length: 8 }, (_, index) => ({ limit: 1000 - index }));
    // On a busy machine one may take longer than a statement may: whoever asks again is served.
    const answers = questions.map((question) => eventually(() => bus.call(queryEvents, question, reader)));
    const pages = await Promise.all(answers);
    for (const { body } of pages) expect(body.events.length).toBeGreaterThan(10);
    const died = once(pod, 'exit');
    pod.kill('SIGTERM');
    expect(await died).toEqual([0, null]);
    await service.stop();
  });
});
