// Two ways to take what an exchange gives: its answer as a result, and its body by a loop.

import type { Answer, Receiver, ResponseBody } from './response.ts';

/** The answer of an exchange as the result of a call. */
export class Returned<Call> implements Receiver<Call> {
  /** The answer, where it is there already. */
  answered: Answer<Call> | null = null;
  #resolve: ((answer: Answer<Call>) => void) | null = null;

  answer(answer: Answer<Call>): void {
    this.answered = answer;
    this.#resolve?.(answer);
  }

  later(): Promise<Answer<Call>> {
    return new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }
}

/** The iteration of a response body, for `for await`. It closes the body however the loop ends. */
export function iterateBody(body: Pick<ResponseBody, 'next' | 'close'>): AsyncIterator<Uint8Array> {
  const close = async (): Promise<IteratorReturnResult<undefined>> => {
    await body.close();
    return { done: true, value: undefined };
  };
  return {
    next: async () => {
      let value: Uint8Array | null;
      try {
        value = await body.next();
      } catch (error) {
        // A loop that is left by an error of the iteration does not call return().
        await body.close();
        throw error;
      }
      return value === null ? close() : { done: false, value };
    },
    return: close,
  };
}
