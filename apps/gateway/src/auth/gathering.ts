import { setImmediate as turn } from 'node:timers/promises';

const QUESTIONS_A_STATEMENT = 1_000;

interface Waiting<Question, Answer> {
  question: Question;
  resolve: (answer: Answer) => void;
  reject: (error: unknown) => void;
}

/**
 * Questions that are asked while others of their group are under way wait, and are then asked together: whoever
 * needs a thousand answers at once gets them with a statement or two. What fails, fails for its group alone.
 */
export class Gathering<Question, Answer> {
  private readonly groups = new Map<string, Waiting<Question, Answer>[]>();

  /** @param answers in the order of the questions */
  constructor(private readonly answers: (group: string, questions: Question[]) => Promise<Answer[]>) {}

  ask(group: string, question: Question): Promise<Answer> {
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
