/**
 * Showing a browser's notification: it knows no browser, but what it is given of one.
 */

/**
 * Shows it, by the page itself, or by its worker in browsers that let no page do that, as on telephones: there it is the
 * worker that hears of a press on it, by `options.data`.
 *
 * @param {{Notification: Function, worker: ?ServiceWorkerContainer}} means
 * @param {string} title
 * @param {object} options as `Notification` takes them
 * @param {() => void} pressed is told if somebody presses it
 */
export function showNotice({ Notification, worker }, title, options, pressed) {
  try {
    const shown = new Notification(title, options);
    shown.onclick = () => {
      pressed();
      shown.close();
    };
  } catch {
    // It may be forbidden by now: then none is shown.
    worker?.ready.then((its) => its.showNotification(title, options)).catch(() => {});
  }
}
