import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { contract, Failure, Reply, type Call, type Outcome } from '#contracts';
import { Handles, HandlesTogether } from './handles.js';

class Order {
  dish!: string;
}

class Meal {
  price!: number;
}

const serve = contract('kitchen.serve', Order, Meal);

export class Kitchen {
  @Handles(serve)
  async one({ request }: Call<Order>): Promise<Reply<Meal>> {
    return Reply.of({ price: request.dish.length });
  }

  @HandlesTogether(serve)
  async together(calls: Call<Order>[]): Promise<Outcome<Meal>[]> {
    return calls.map(() => new Failure('not_found'));
  }

  // @ts-expect-error -- the contract carries an order, not a meal
  @Handles(serve)
  async otherRequest({ request }: Call<Meal>): Promise<Reply<Meal>> {
    return Reply.of(request);
  }

  // @ts-expect-error -- the contract answers a meal, not an order
  @Handles(serve)
  async otherReply({ request }: Call<Order>): Promise<Reply<Order>> {
    return Reply.of(request);
  }

  // @ts-expect-error -- an answer is a Reply
  @Handles(serve)
  async bareReply(): Promise<Meal> {
    return { price: 1 };
  }

  // @ts-expect-error -- one call is not a list of calls
  @Handles(serve)
  async listForOne(calls: Call<Order>[]): Promise<Reply<Meal>> {
    return Reply.of({ price: calls.length });
  }

  // @ts-expect-error -- a list of calls has a list of outcomes
  @HandlesTogether(serve)
  async oneForList(): Promise<Reply<Meal>> {
    return Reply.of({ price: 1 });
  }

  // @ts-expect-error -- each outcome is the contract's reply
  @HandlesTogether(serve)
  async otherReplies(calls: Call<Order>[]): Promise<Reply<Order>[]> {
    return calls.map(({ request }) => Reply.of(request));
  }
}

describe('a handler', () => {
  it('compiles only when its parameter and its result are those of its contract', () => {
    const file = fileURLToPath(import.meta.url);
    const config = ts.findConfigFile(file, (path) => ts.sys.fileExists(path))!;
    const { options } = ts.parseJsonConfigFileContent(
      ts.readConfigFile(config, (path) => ts.sys.readFile(path)).config,
      ts.sys,
      config.slice(0, config.lastIndexOf('/')),
    );
    const program = ts.createProgram([file], options);
    // An expected error that does not happen is an error itself.
    const errors = program.getSemanticDiagnostics(program.getSourceFile(file));
    expect(errors.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))).toEqual([]);
  });
});
