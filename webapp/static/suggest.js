// What one may be about to ask, offered while typing: the combobox of the W3C's ARIA Authoring Practices Guide, with
// list autocomplete and manual selection. Without this file the form is whole. Nothing typed is kept; when anything
// fails, there is no list, and the form remains.
(() => {
  "use strict";

  const WAIT_MS = 150;
  const MAX_OPTIONS = 8;
  const AFTER_COMPOSITION_MS = 100;

  const form = document.querySelector("form.ask[data-suggest]");
  const input = form && form.querySelector("input[name=q]");
  if (!input || typeof AbortController !== "function") return;

  const list = document.createElement("ul");
  const status = document.createElement("div");
  let active = -1; // the option that was arrowed to, or -1: the text as it was typed
  let shownFor = null; // what was typed when the list came
  let composing = false;
  let confirmedAt = -Infinity; // when the last composition ended
  let timer = 0;
  let request = null;

  function prepare() {
    list.id = "suggestions";
    list.className = "suggestions";
    list.hidden = true;
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", "搜索建议");
    status.className = "unseen";
    status.setAttribute("role", "status");
    form.append(list, status);
    input.type = "text"; // a searchbox cannot be a combobox
    input.setAttribute("role", "combobox");
    input.setAttribute("aria-autocomplete", "list");
    input.setAttribute("aria-controls", list.id);
    input.setAttribute("aria-expanded", "false");
  }

  const isOpen = () => !list.hidden;

  function setOpen(open) {
    list.hidden = !open;
    input.setAttribute("aria-expanded", String(open));
    if (!open) activate(-1);
  }

  function abandon() {
    clearTimeout(timer);
    if (request) request.abort();
    request = null;
  }

  // Also ends what is under way, so that no list comes after one has left the box.
  function close() {
    abandon();
    status.textContent = "";
    setOpen(false);
  }

  function activate(index) {
    active = index;
    [...list.children].forEach((option, place) => option.setAttribute("aria-selected", String(place === index)));
    if (index < 0) {
      input.removeAttribute("aria-activedescendant");
      return;
    }
    input.setAttribute("aria-activedescendant", list.children[index].id);
    list.children[index].scrollIntoView({ block: "nearest" });
  }

  function optionFor(suggestion, place) {
    const option = document.createElement("li");
    option.id = `suggestion-${place}`;
    option.setAttribute("role", "option");
    option.setAttribute("aria-selected", "false");
    option.dataset.text = suggestion.text;
    option.textContent = suggestion.text;
    if (suggestion.kind === "correction") {
      const hint = document.createElement("span");
      hint.textContent = "可能想找";
      option.append(hint);
    }
    return option;
  }

  function show(typed, suggestions) {
    const usable = suggestions.filter((each) => each && typeof each.text === "string").slice(0, MAX_OPTIONS);
    list.replaceChildren(...usable.map(optionFor));
    list.scrollTop = 0;
    shownFor = typed;
    setOpen(usable.length > 0);
    status.textContent = usable.length ? `有 ${usable.length} 条建议，可用上下方向键选择。` : "";
  }

  // The list for what stands in the box; the old one stays until then. `then` runs once it is there.
  async function ask(then) {
    const typed = input.value.trim();
    abandon();
    if (!typed) {
      close();
      return;
    }
    const mine = new AbortController();
    request = mine;
    let suggestions = [];
    try {
      const address = `${form.dataset.suggest}?q=${encodeURIComponent(typed)}&limit=${MAX_OPTIONS}`;
      const response = await fetch(address, { signal: mine.signal, credentials: "omit", cache: "no-store" });
      if (response.ok) suggestions = (await response.json()).suggestions;
      if (request === mine) show(typed, suggestions);
      if (request === mine && then && isOpen()) then();
    } catch {
      if (request === mine) close(); // offline, or no index: the form works all the same
    }
  }

  function askSoon() {
    activate(-1);
    clearTimeout(timer);
    timer = setTimeout(ask, WAIT_MS);
  }

  // Arrows open a closed list; `then` moves in it.
  function whenOpen(then) {
    if (isOpen()) {
      then();
    } else if (shownFor === input.value.trim() && list.children.length) {
      setOpen(true);
      then();
    } else {
      ask(then);
    }
  }

  function choose(option) {
    input.value = option.dataset.text;
    close();
    if (form.requestSubmit) form.requestSubmit();
    else form.submit();
  }

  // Safari sends the Enter that confirms a candidate after the composition has ended. Keyboards on a screen have no
  // key codes: there the same sequence means that somebody asks for the search.
  function confirmsCandidate(event) {
    return event.code !== "" && event.timeStamp - confirmedAt < AFTER_COMPOSITION_MS;
  }

  function onArrow(event) {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const down = event.key === "ArrowDown";
    if (event.altKey) {
      if (down) whenOpen(() => {});
      else close();
      return;
    }
    whenOpen(() => {
      const count = list.children.length;
      if (active < 0) activate(down ? 0 : count - 1);
      else activate((active + (down ? 1 : count - 1)) % count);
    });
  }

  function onEnter(event) {
    if (confirmsCandidate(event)) {
      event.preventDefault();
    } else if (active >= 0) {
      event.preventDefault();
      choose(list.children[active]);
    } else {
      close(); // and the form sends what was typed
    }
  }

  function onEscape(event) {
    event.preventDefault();
    if (!isOpen()) input.value = "";
    close();
  }

  function onKey(event) {
    if (composing || event.isComposing || event.keyCode === 229) return; // keys of the input method
    const { key } = event;
    if (key === "ArrowDown" || key === "ArrowUp") onArrow(event);
    else if (key === "Enter") onEnter(event);
    else if (key === "Escape") onEscape(event);
    else if (key === "Tab") close();
    else if (["Home", "End", "ArrowLeft", "ArrowRight"].includes(key)) activate(-1); // the cursor moves in the text
  }

  prepare();
  input.addEventListener("keydown", onKey);
  input.addEventListener("keyup", () => { confirmedAt = -Infinity; });
  input.addEventListener("input", (event) => {
    if (!composing && !event.isComposing) askSoon();
  });
  input.addEventListener("compositionstart", () => {
    composing = true;
    close(); // the input method shows its own list here
  });
  input.addEventListener("compositionend", (event) => {
    composing = false;
    confirmedAt = event.timeStamp;
    askSoon();
  });
  input.addEventListener("blur", close);
  form.addEventListener("submit", close);
  window.addEventListener("pagehide", close);
  list.addEventListener("mousedown", (event) => event.preventDefault()); // the focus stays in the box
  list.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (option) choose(option);
  });
})();
