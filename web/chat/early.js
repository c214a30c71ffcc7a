// Sets the chosen look before the first paint. A classic script on purpose: a module runs after the page is
// parsed, and a page that flashes white at night is worse than one more file.
try {
  const look = JSON.parse(localStorage.getItem("relais-chat.look"));
  if (look === "light" || look === "dark") document.documentElement.dataset.theme = look;
} catch {
  // Storage may be forbidden; then the system's look it is.
}
