// Finds words in the sections of all pages; the index is in a script, so that no server is needed.
"use strict";
document.addEventListener("DOMContentLoaded", () => {
  const field = document.getElementById("properdocs-search-query");
  const list = document.getElementById("properdocs-search-results");
  const most = 30, around = 70;
  const plain = (text) => text.toLowerCase().normalize("NFD").replace(/\p{M}/gu, "");

  function score(section, words) {
    const heading = plain(section.heading), title = plain(section.title), text = plain(section.text);
    let sum = 0;
    for (const word of words) {
      const here = (heading.includes(word) ? 8 : 0) + (title.includes(word) ? 4 : 0) + (text.includes(word) ? 1 : 0);
      if (!here) return 0;
      sum += here + (heading === word ? 8 : 0);
    }
    return sum;
  }

  function excerpt(text, word) {
    const at = Math.max(plain(text).indexOf(word), 0), from = Math.max(at - around, 0);
    return (from ? "… " : "") + text.slice(from, at + 2 * around) + (at + 2 * around < text.length ? " …" : "");
  }

  function entry(section, word) {
    const item = document.createElement("article"), link = document.createElement("a");
    link.href = section.page + (section.id ? "#" + section.id : "");
    link.textContent = section.heading === section.title ? section.title : section.title + ": " + section.heading;
    const text = document.createElement("p");
    text.textContent = excerpt(section.text, word);
    item.append(link, text);
    return item;
  }

  function search() {
    const words = plain(field.value).split(/\s+/).filter((word) => word.length > 1);
    const found = (window.searchIndex || []).map((section) => [score(section, words), section])
      .filter(([points]) => words.length && points > 0).sort((one, other) => other[0] - one[0]);
    const items = found.slice(0, most).map(([, section]) => entry(section, words[0]));
    if (words.length && !items.length) {
      items.push(document.createElement("p"));
      items[0].textContent = "Nothing found. Try fewer or other words.";
    }
    list.replaceChildren(...items);
  }

  field.addEventListener("input", search);
  field.form.addEventListener("submit", (event) => event.preventDefault());
});
