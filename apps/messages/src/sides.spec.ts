import fc from 'fast-check';
import { between, sidesAround, sidesOf, type Side } from './sides.js';

const MAILBOXES = fc.constantFrom('member a', 'member b', 'member c', 'device a');
const letters = fc.record({
  sender: MAILBOXES,
  recipient: MAILBOXES,
  about: fc.constantFrom('a', 'b', undefined),
});
type Letter = { sender: string; recipient: string; about: string | undefined };

function isOn({ recipient, sender, about }: Side, letter: Letter): boolean {
  return (
    (recipient === undefined || recipient === letter.recipient) &&
    (sender === undefined || sender === letter.sender) &&
    (about === undefined || about === letter.about)
  );
}

const hold = (sides: Side[], letter: Letter): boolean => sides.some((side) => isOn(side, letter));

describe('the sides of a search', () => {
  it('hold each message that is the reader’s and passes the filter, and no other', () => {
    fc.assert(
      fc.property(
        MAILBOXES,
        fc.option(MAILBOXES, { nil: undefined }),
        fc.option(MAILBOXES, { nil: undefined }),
        letters,
        (reader, recipient, sender, letter) => {
          const isOwn = letter.sender === reader || letter.recipient === reader;
          const passes =
            (recipient === undefined || letter.recipient === recipient) &&
            (sender === undefined || letter.sender === sender);
          expect(hold(sidesOf(reader, { recipient, sender }), letter)).toBe(isOwn && passes);
        },
      ),
    );
  });

  it('hold what passes the filter, whoever’s it is, for one who sees all', () => {
    fc.assert(
      fc.property(fc.option(MAILBOXES, { nil: undefined }), letters, (sender, letter) => {
        const passes = sender === undefined || letter.sender === sender;
        expect(hold(sidesOf(undefined, { sender }), letter)).toBe(passes);
      }),
    );
  });

  it('around a device hold each message to, from or about it that the reader may see, and no other', () => {
    fc.assert(
      fc.property(fc.option(MAILBOXES, { nil: undefined }), letters, (reader, letter) => {
        const ends = [letter.sender, letter.recipient];
        const isAround = ends.includes('device a') || letter.about === 'a';
        const sees = reader === undefined || ends.includes(reader);
        expect(hold(sidesAround('a', reader), letter)).toBe(isAround && sees);
      }),
    );
  });

  it('of a conversation hold each message between its two', () => {
    fc.assert(
      fc.property(MAILBOXES, MAILBOXES, letters, (one, other, letter) => {
        const ends = [letter.sender, letter.recipient];
        const isBetween = ends.join() === [one, other].join() || ends.join() === [other, one].join();
        expect(hold(between(one, other), letter)).toBe(isBetween);
      }),
    );
  });
});
