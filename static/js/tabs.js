// Remembers, for this window, which of the lower tables was looked at.
const KEY = "tab";

export function start() {
  const tabs = [...document.querySelectorAll("input[name='tab']")];
  const stored = tabs.find((tab) => tab.value === sessionStorage.getItem(KEY));
  if (stored) stored.checked = true;
  for (const tab of tabs) tab.addEventListener("change", () => sessionStorage.setItem(KEY, tab.value));
}
