// How far a build is, as the server tells it; the page loads itself again when it has ended.
"use strict";
const line = document.querySelector("[data-events]");
if (line && "EventSource" in window) {
  const source = new EventSource(line.dataset.events);
  source.onmessage = event => {
    const told = JSON.parse(event.data);
    const progress = line.querySelector("progress");
    progress.max = told.total || 1;
    progress.value = told.done;
    line.querySelector("label").textContent = told.stage;
    line.querySelector("output").textContent = told.total ? `${told.done}/${told.total}` : "";
  };
  // A reply that ends is asked for again by the browser; 204 closes for good.
  source.onerror = () => { if (source.readyState === EventSource.CLOSED) location.reload(); };
}
