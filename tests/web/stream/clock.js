/** A clock that a test moves: what is due happens in order, at its time. */
export class Clock {
  time = 0;
  #due = new Map();
  #next = 1;

  now = () => this.time;
  later = (task, milliseconds) => {
    this.#due.set(this.#next, { task, at: this.time + milliseconds });
    return this.#next++;
  };
  cancel = (timer) => void this.#due.delete(timer);
  get waiting() {
    return this.#due.size;
  }

  pass(milliseconds) {
    const until = this.time + milliseconds;
    while (this.#step(until));
    this.time = until;
  }

  /** The same, where promises are settled on the way. */
  async passSettled(milliseconds) {
    const until = this.time + milliseconds;
    do await settled();
    while (this.#step(until));
    this.time = until;
  }

  #step(until) {
    const first = [...this.#due].reduce((a, b) => (b[1].at < (a?.[1].at ?? Infinity) ? b : a), null);
    if (!first || first[1].at > until) return false;
    this.#due.delete(first[0]);
    this.time = first[1].at;
    first[1].task();
    return true;
  }
}

/** Whatever waits for a promise that is fulfilled has run. */
export const settled = () => new Promise((resolve) => setImmediate(resolve));
