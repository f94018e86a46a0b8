"use strict";
for (const hidden of document.querySelectorAll(".controls[hidden], .scripted[hidden]")) hidden.hidden = false;

// Tables: a button in every head sorts by the column, first press ascending; rows without a number stay at the end.
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells], body = table.tBodies[0];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("aria-label", "Sort by " + head.textContent.trim());
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const key = row => column === 0 ? row.cells[0].textContent : row.cells[column]?.dataset.order;
      const compare = (a, b) => column === 0 ? a.localeCompare(b) : Number(a) - Number(b);
      body.append(...[...body.rows].sort((a, b) => {
        const x = key(a), y = key(b);
        if (x === undefined || y === undefined) return (x === undefined) - (y === undefined);
        return down ? compare(y, x) : compare(x, y);
      }));
    });
    head.append(button);
  });
}

// Piece explorer. A group is a list of runs: a string of whole aksharas, or [akshara, pieces, inside a character].
function element(name, content, style) {
  const made = document.createElement(name);
  made.append(...[].concat(content));
  if (style) made.className = style;
  return made;
}
function drawRun(run) {
  if (typeof run === "string") return [run];
  const [text, pieces, torn] = run, akshara = element("span", text, torn ? "torn" : "broken");
  akshara.title = "one akshara, " + pieces + " pieces";
  return [akshara, element("sup", String(pieces))];
}
for (const explorer of document.querySelectorAll(".explorer")) {
  const data = JSON.parse(explorer.querySelector(".cuts").textContent);
  const drawn = explorer.querySelector(".drawn"), language = drawn.querySelector("[lang]")?.lang;
  const bySentence = explorer.querySelector(".sentence"), byTokenizer = explorer.querySelector(".tokenizer");
  data.sentences.forEach((text, number) => {
    const characters = Array.from(text);
    bySentence.add(new Option(`${number + 1}. ${characters.slice(0, 40).join("")}${characters.length > 40 ? "…" : ""}`, number));
  });
  bySentence.add(new Option("all", "all"));
  byTokenizer.add(new Option("all", "all"));
  data.tokenizers.forEach((tokenizer, number) => byTokenizer.add(new Option(tokenizer.name, number)));
  const draw = () => {
    const blocks = [];
    data.sentences.forEach((text, number) => {
      if (bySentence.value !== "all" && number !== Number(bySentence.value)) return;
      const list = document.createElement("dl"), head = element("h3", text);
      data.tokenizers.forEach((tokenizer, which) => {
        if (byTokenizer.value !== "all" && which !== Number(byTokenizer.value)) return;
        const found = tokenizer.sentences[number];
        const facts = `${found.pieces} pieces, ${found.broken} of ${found.aksharas} aksharas broken`;
        const line = element("dd", found.groups.map(group => element("span", group.flatMap(drawRun), "piece")));
        if (language) line.lang = head.lang = language;
        list.append(element("dt", [tokenizer.name + " ", element("small", facts)]), line);
      });
      blocks.push(head, list);
    });
    drawn.replaceChildren(...blocks);
  };
  bySentence.addEventListener("change", draw);
  byTokenizer.addEventListener("change", draw);
  if (data.sentences.length) draw();
}
