import fc from 'fast-check';
import { Gathering } from './gathering.js';

describe('a gathering of questions', () => {
  it('gives everyone the answer to its own question', async () => {
    const questions = fc.array(fc.record({ group: fc.constantFrom('a', 'b'), question: fc.nat(5) }));
    await fc.assert(
      fc.asyncProperty(questions, async (asked) => {
        const gathering = new Gathering<number, string>((group, numbers) =>
          Promise.resolve(numbers.map((number) => `${group}${number}`)),
        );
        const answers = await Promise.all(asked.map(({ group, question }) => gathering.ask(group, question)));
        expect(answers).toEqual(asked.map(({ group, question }) => `${group}${question}`));
      }),
    );
  });

  it('asks what comes while it asks in one go', async () => {
    const asked: number[][] = [];
    const gathering = new Gathering<number, number>((_, numbers) => {
      asked.push(numbers);
      if (numbers.includes(1)) for (const late of [3, 4, 5]) void gathering.ask('a', late);
      return Promise.resolve(numbers);
    });
    await Promise.all([1, 2].map((number) => gathering.ask('a', number)));
    await gathering.ask('a', 6);
    expect(asked).toEqual([
      [1, 2],
      [3, 4, 5, 6],
    ]);
  });

  it('fails those who asked together, and nobody of another group or later', async () => {
    const gathering = new Gathering<number, number>((_, numbers) =>
      numbers.includes(0) ? Promise.reject(new Error('no')) : Promise.resolve(numbers),
    );
    const [zero, one, other] = [gathering.ask('a', 0), gathering.ask('a', 1), gathering.ask('b', 1)];
    await expect(zero).rejects.toThrow('no');
    await expect(one).rejects.toThrow('no');
    await expect(other).resolves.toBe(1);
    await expect(gathering.ask('a', 2)).resolves.toBe(2);
  });

  it('keeps nobody waiting for ever, neither for an answer that does not come nor behind it', async () => {
    const gathering = new Gathering<number, number>(() => new Promise(() => undefined), 20);
    const [first, second] = [gathering.ask('a', 1), gathering.ask('a', 2)];
    await expect(first).rejects.toMatchObject({ code: 'unavailable' });
    await expect(second).rejects.toMatchObject({ code: 'unavailable' });
    await expect(gathering.ask('a', 3)).rejects.toMatchObject({ code: 'unavailable' });
  });
});
