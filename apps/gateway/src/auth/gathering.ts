import { setImmediate as turn } from 'node:timers/promises';
import { Failure } from '#contracts';

const QUESTIONS_A_STATEMENT = 1_000;
/** A request has other things to wait for, and may have to stand behind a statement that is never answered. */
const PATIENCE_MS = 3_000;

interface Waiting<Question, Answer> {
  question: Question;
  resolve: (answer: Answer) => void;
  reject: (error: unknown) => void;
}

/**
 * Questions that are asked while others of their group are under way wait, and are then asked together: whoever
 * needs a thousand answers at once gets them with a statement or two. What fails, fails for its group alone; nobody waits
 * longer than 3 s.
 */
export class Gathering<Question, Answer> {
  private readonly groups = new Map<string, Waiting<Question, Answer>[]>();

  /** @param answers in the order of the questions */
  constructor(
    private readonly answers: (group: string, questions: Question[]) => Promise<Answer[]>,
    private readonly patience_ms = PATIENCE_MS,
  ) {}

  /** @throws Failure `unavailable` when there is no answer in time: it may still have been asked */
  ask(group: string, question: Question): Promise<Answer> {
    const answer = this.gather(group, question);
    return new Promise((resolve, reject) => {
      const patience = setTimeout(
        () => reject(new Failure('unavailable', 'The database does not answer in time')),
        this.patience_ms,
      );
      void answer.then(resolve, reject).finally(() => clearTimeout(patience));
    });
  }

  private gather(group: string, question: Question): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const one = { question, resolve, reject };
      const waiting = this.groups.get(group);
      if (waiting) waiting.push(one);
      else {
        const first = [one];
        this.groups.set(group, first);
        void this.answerAll(group, first);
      }
    });
  }

  private async answerAll(group: string, waiting: Waiting<Question, Answer>[]): Promise<void> {
    while (waiting.length > 0) {
      await turn();
      const asked = waiting.splice(0, QUESTIONS_A_STATEMENT);
      try {
        const answers = await this.answers(
          group,
          asked.map(({ question }) => question),
        );
        asked.forEach(({ resolve }, index) => resolve(answers[index]!));
      } catch (error) {
        for (const { reject } of asked) reject(error);
      }
    }
    this.groups.delete(group);
  }
}
