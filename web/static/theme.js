/* Light or dark as the person chose last; else as the system says. Runs before the first paint. */
"use strict";
(function () {
  const kept = localStorage.getItem("longshot-theme");
  if (kept === "light" || kept === "dark") document.documentElement.dataset.theme = kept;
})();
