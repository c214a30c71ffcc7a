// Sets the remembered theme before the first paint. A classic script on purpose: a module runs
// after the page is parsed, and a page that flashes white at night is worse than one more file.
try {
  const theme = localStorage.getItem("theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Storage may be forbidden; then the system's theme it is.
}
