// What HTML alone cannot do: clicks inside rendered HTML become Gradio events, and the page scrolls to what was
// opened. Knows nothing about articles; everything it shows was made and escaped by the server.
window.byline = (() => {
  const narrow = () => window.matchMedia("(max-width: 800px)").matches;
  let openedByHand = false;

  // One listener for each component, so buttons of turns that come later work as well.
  function clicks(element, trigger) {
    element.addEventListener("click", (event) => {
      const button = event.target.closest("button:is([data-open], [data-ask], [data-copy], [data-back], [data-remove])");
      if (!button) return;
      const { open, ask, copy, back, remove, turn, number, article } = button.dataset;
      if (open !== undefined) {
        openedByHand = true;
        trigger("open", { kind: open, turn: Number(turn ?? -1), number: Number(number ?? -1), article: article ?? "" });
      } else if (ask !== undefined) {
        trigger("ask", { question: ask });
      } else if (back !== undefined) {
        document.querySelector(`#stage .turn[data-turn="${Number(back)}"]`)?.scrollIntoView({ block: "start" });
      } else if (remove !== undefined) {
        if (sure(button)) trigger("remove", { article: remove });
      } else {
        copyText(button, copy);
      }
    });
  }

  // Whether it is clicked for the second time within some seconds; the first click asks.
  function sure(button) {
    if (button.dataset.asked) return true;
    const words = button.textContent;
    button.dataset.asked = "yes";
    button.textContent = `${words}? Click again`;
    setTimeout(() => {
      delete button.dataset.asked;
      button.textContent = words;
    }, 4000);
    return false;
  }

  async function copyText(button, text) {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Copying is not allowed here";
    }
    setTimeout(() => (button.textContent = "Copy"), 1600);
  }

  // Opening the list of passages takes room from the article: keep its sentence in sight.
  function showSources(element, watch) {
    watch("value", () => showTarget(element));
    element.addEventListener("toggle", () => showTarget(element), true);
  }

  // The cited sentence goes to the upper third of the article; on a phone the page itself scrolls there, but only
  // if the reader asked for it.
  function showTarget(element) {
    markOpened(element);
    const scroller = element.querySelector(".scroll");
    const target = element.querySelector("[data-target]");
    if (scroller && !narrow()) {
      const offset = target ? target.getBoundingClientRect().top - scroller.getBoundingClientRect().top : 0;
      scroller.scrollTop = target ? scroller.scrollTop + offset - scroller.clientHeight / 3 : 0;
    }
    if (narrow() && openedByHand) {
      (target ?? element).scrollIntoView({ block: target ? "center" : "start" });
    }
    openedByHand = false;
  }

  // The chip in the conversation whose source is open looks like the one in the panel.
  function markOpened(element) {
    const { turn, number } = element.querySelector(".cited .chip.active")?.dataset ?? {};
    for (const chip of document.querySelectorAll("#stage .chip")) {
      const opened = chip.dataset.turn === turn && chip.dataset.number === number;
      chip.classList.toggle("active", opened);
      if (opened) chip.setAttribute("aria-current", "true");
      else chip.removeAttribute("aria-current");
    }
  }

  // Follow the answer while it grows, unless the reader has scrolled up; always show a question just asked.
  function followConversation(element, watch) {
    const scroller = () => (narrow() ? document.scrollingElement : document.getElementById("stage"));
    let nearEnd = true;
    let turn = null;
    const remember = () => {
      const box = scroller();
      nearEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 120;
    };
    document.addEventListener("scroll", remember, { capture: true, passive: true });
    watch("value", () => {
      const live = element.querySelector(".turn")?.dataset.turn ?? null;
      const asked = live !== null && live !== turn;
      turn = live ?? turn;
      const follow = () => {
        if (nearEnd && !narrow()) scroller().scrollTop = scroller().scrollHeight;
      };
      if (asked) element.scrollIntoView({ block: "start" });
      else if (live !== null) follow();
      else setTimeout(follow, 60); // finished: the turn is just moving to the component above
    });
  }

  // A file dropped anywhere on the page is an article to add; the browser would leave the page to show it.
  document.addEventListener("dragover", (event) => {
    if (event.dataTransfer?.types.includes("Files")) event.preventDefault();
  });
  document.addEventListener("drop", (event) => {
    const input = document.querySelector("#top input[type=file]");
    if (!input || !event.dataTransfer?.files.length) return;
    event.preventDefault();
    input.files = event.dataTransfer.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  });

  return { clicks, showSources, followConversation };
})();
