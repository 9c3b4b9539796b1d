// Dark, light or the system's own: applied before the first paint, kept in this browser. Without a choice the system decides.
(() => {
  const root = document.documentElement;
  const stored = () => { try { return localStorage.getItem("theme"); } catch { return null; } };
  const store = (theme) => { try { localStorage.setItem("theme", theme); } catch { /* refused in some private windows */ } };
  const system = () => (matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark");
  const shown = () => root.dataset.theme ?? system();

  if (["dark", "light"].includes(stored())) root.dataset.theme = stored();

  addEventListener("DOMContentLoaded", () => {
    for (const button of document.querySelectorAll("[data-theme-toggle]")) {
      const label = () => { button.textContent = shown() === "dark" ? "Light" : "Dark"; };
      button.addEventListener("click", () => {
        root.dataset.theme = shown() === "dark" ? "light" : "dark";
        store(root.dataset.theme);
        label();
      });
      button.hidden = false;
      label();
    }
  });
})();
