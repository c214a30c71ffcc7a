/**
 * What this browser keeps: the token, drafts, what was not sent, and how the page is to look. Never a password.
 *
 * Where nothing can be kept, all of it lasts as long as the page.
 */

const NAME = "relais-chat";

/** What stands in for a storage that is forbidden. */
class Passing {
  #all = new Map();

  get length() {
    return this.#all.size;
  }

  key(index) {
    return [...this.#all.keys()][index] ?? null;
  }

  getItem(name) {
    return this.#all.get(name) ?? null;
  }

  setItem(name, text) {
    this.#all.set(name, text);
  }

  removeItem(name) {
    this.#all.delete(name);
  }
}

export class Keep {
  /** @param {?Storage} storage */
  constructor(storage) {
    this.storage = storage ?? new Passing();
  }

  get(key) {
    try {
      return JSON.parse(this.storage.getItem(`${NAME}.${key}`));
    } catch {
      return null;
    }
  }

  /** Keeps `value`; `null` is kept as nothing. */
  set(key, value) {
    try {
      if (value === null || value === "") this.storage.removeItem(`${NAME}.${key}`);
      else this.storage.setItem(`${NAME}.${key}`, JSON.stringify(value));
    } catch {
      // Storage may be forbidden or full.
    }
  }

  /** All that is kept under names that begin so, each with the rest of its name. */
  all(prefix) {
    try {
      const whole = `${NAME}.${prefix}`;
      const keys = Array.from({ length: this.storage.length }, (_, index) => this.storage.key(index));
      return keys
        .filter((key) => key.startsWith(whole))
        .map((key) => [key.slice(whole.length), this.get(key.slice(NAME.length + 1))]);
    } catch {
      return [];
    }
  }

  /** Forgets what is kept under names that begin so. */
  forget(prefix) {
    for (const [rest] of this.all(prefix)) this.set(prefix + rest, null);
  }
}
