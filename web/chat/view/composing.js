/** What keys say while a word is composed. */
const COMPOSED = 229;

/**
 * Whether a key belongs to a word that is being composed of several. Safari tells the end of one before the key that
 * ended it, which is known by its number alone.
 */
export const isComposing = (event) => event.isComposing || event.keyCode === COMPOSED;

/** Whether a key is pressed alone: with others, as Alt-Up, it is for whoever knows both. */
export const isAlone = (event) => !event.altKey && !event.ctrlKey && !event.metaKey && !event.shiftKey;
