// Looks up what the program found at each setting and draws it; nothing is detected here.
"use strict";
(async function () {
  const byId = (id) => document.getElementById(id);
  const bytes = Uint8Array.from(atob(byId("data").textContent), (c) => c.charCodeAt(0));
  const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  const every = JSON.parse(await new Response(unpacked).text());
  const names = Object.keys(every.measures), sliders = ["k", "floor", "within"];
  const views = {};
  let data, criterion, place, course = 0;

  const whole = (n) => n.toLocaleString("en");
  const count = (n) => (n === null ? "withheld" : whole(n));
  const short = (n) => n.toLocaleString("en", { maximumFractionDigits: n < 10 ? 1 : 0 });
  const percent = (share) => (100 * share).toFixed(0) + " %";
  const say = (id, text) => { const at = byId(id); if (at) at.textContent = text; };

  function option(select, value, text) {
    const one = document.createElement("option");
    one.value = value;
    one.dir = "auto";
    one.textContent = text;
    select.append(one);
  }

  // The window changes fastest, then the floor, then k: as the program counted.
  function index(at = place) {
    return (at.k * criterion.floor.length + at.floor) * criterion.within.length + at.within;
  }

  function row(at) {
    const values = criterion.counts[at];
    return Object.fromEntries(data.columns.map((name, n) => [name, values[n]]));
  }

  async function prepare(name, spec) {
    const how = { mode: "vega-lite", renderer: "svg", actions: false, defaultStyle: false, tooltip: false,
      logLevel: 1 };
    views[name] = (await vegaEmbed(byId(name), spec, how)).view;
    // The chart is one picture with a description, not hundreds of marks.
    byId(name).querySelector("svg").setAttribute("aria-hidden", "true");
  }

  function draw(name, tables) {
    for (const [table, rows] of Object.entries(tables)) views[name].data(table, rows);
    return views[name].runAsync();
  }

  // ---- settings

  function unitWords(value) {
    return value ? value.toLocaleString("en") + (value === 1 ? " point" : " points") : "none";
  }
  function windowWords(value) {
    if (value === null) return "the rest of the course";
    return value + (value === 1 ? " session" : " sessions");
  }
  const words = { k: (value) => String(value), floor: unitWords, within: windowWords };

  // What a control does where the others stand as they do.
  function effect(name) {
    const values = criterion[name];
    if (criterion.fixed) return "Cannot be moved for this criterion.";
    if (values.length < 2) return "One value only: nothing else is offered for this criterion.";
    const rows = values.map((_, n) => criterion.counts[index({ ...place, [name]: n })]);
    const told = rows.every((one) => !one.includes(null));
    return !told || new Set(rows.map(String)).size > 1 ? "" : "Changes nothing here: every value finds the same.";
  }

  function showSettings() {
    const refused = Boolean(criterion.refusal);
    for (const name of sliders) {
      const slider = byId(name), values = refused ? [] : criterion[name];
      slider.disabled = values.length < 2;
      slider.max = Math.max(values.length - 1, 0);
      slider.value = place[name];
      const text = values.length ? words[name](values[place[name]]) : "–";
      slider.setAttribute("aria-valuetext", text);
      say(name + "-value", text);
      say(name + "-effect", refused ? "" : effect(name));
    }
    const start = criterion.start || [0, 0, 0];
    byId("reset").disabled = refused || sliders.every((name, n) => place[name] === start[n]);
    say("fixed", refused
      ? "Not assessable: " + criterion.refusal + ". There are no numbers to show; choose another criterion."
      : criterion.fixed || "");
    say("about", criterion.rule + " Source: " + criterion.source + " (" + criterion.standing + ").");
  }

  // ---- what is found

  function range(now) {
    return now.low === null ? "" : " (" + short(now.low) + " to " + short(now.high) + ")";
  }

  function showCounts() {
    const now = criterion.refusal ? null : row(index());
    for (const name of ["episodes", "courses", "unrepaired", "censored", "assessable", "repaired"])
      say(name, now ? count(now[name]) : "–");
    const noise = now && now.expected !== null;
    say("expected", noise ? now.expected.toFixed(1) + range(now) : "–");
    say("expected_courses", noise ? now.expected_courses.toFixed(1) : "–");
    say("expected_repaired",
      noise && now.expected_repaired !== null ? percent(now.expected_repaired) + " of those decided" : "–");
    if (now && now.repaired !== null && now.repaired + now.unrepaired > 0)
      say("repaired", whole(now.repaired) + " (" + percent(now.repaired / (now.repaired + now.unrepaired)) +
        " of those decided)");
    say("sentence", sentence(now, noise));
    return showCurve();
  }

  function showCurve() {
    const rows = [], many = criterion.refusal ? [] : criterion.k;
    byId("curve").hidden = many.length < 2;
    if (many.length < 2) return;
    many.forEach((k, n) => {
      const at = row(index({ ...place, k: n }));
      if (at.episodes !== null) rows.push({ k, what: "observed", value: at.episodes });
      if (at.expected !== null)
        rows.push({ k, what: "by noise alone", value: at.expected,
          low: at.low === null ? at.expected : at.low, high: at.high === null ? at.expected : at.high });
    });
    byId("by_k").setAttribute("aria-label", "Episodes against k. " + byId("sentence").textContent);
    return draw("by_k", { by_k: rows, now: [{ k: many[place.k] }] });
  }

  function sentence(now, noise) {
    if (!now) return "This criterion cannot be applied: " + criterion.refusal + ".";
    if (now.episodes === null)
      return "The number of episodes is withheld: it, or what it leaves of another number, is below " +
        data.min_cell + ".";
    let text = whole(now.episodes) + (now.episodes === 1 ? " episode" : " episodes");
    if (now.courses !== null) text += " in " + whole(now.courses) + " of " + count(now.assessable) + " courses";
    if (!noise) return text + ". How many noise alone makes is not assessable for this criterion.";
    text += "; noise alone makes about " + short(now.expected);
    if (now.low !== null) text += ", nine times in ten " + short(now.low) + " to " + short(now.high);
    return text + ". " + data.verdicts[now.verdict] + ".";
  }

  // ---- courses

  function episodesNow() {
    if (criterion.refusal) return [];
    const [steps, lengths, outcomes] = criterion.sets[criterion.which[index()]];
    let first = 0, at = 0;
    return steps.map((step, n) => {
      first += step;
      while (data.start[at + 1] <= first) at += 1;
      return { course: at, first, end: first + lengths[n], status: data.statuses[outcomes[n]] };
    });
  }

  function line(n) {
    return { row: n, from: data.sessions[data.start[n]], to: data.sessions[data.start[n + 1] - 1] };
  }

  function bar(one) {
    return { row: one.course, from: data.sessions[one.first] - 0.4, to: data.sessions[one.end] + 0.4,
      status: one.status };
  }

  function showCourses() {
    if (!data.individuals) return;
    const episodes = episodesNow();
    draw("overview", { episodes: episodes.map(bar), chosen: [line(course)] });
    const found = new Set(episodes.map((one) => one.course)).size;
    byId("overview").setAttribute("aria-label",
      data.courses.length + " courses drawn as lines, " + found + " of them with an episode.");
    say("empty", found ? "" : criterion.refusal
      ? "No episodes are drawn: this criterion cannot be applied."
      : "No episodes are drawn: none is found by this setting. Lower k or the floor to see some.");
    showCourse(episodes.filter((one) => one.course === course));
  }

  function showCourse(episodes) {
    const sign = data.better === "lower" ? 1 : -1, rows = [];
    const usable = !criterion.refusal && criterion.reference;
    for (let n = data.start[course]; n < data.start[course + 1]; n += 1) {
      const one = { session: data.sessions[n], rating: data.ratings[n], reference: null, threshold: null };
      const unit = usable ? criterion.unit[course] : null;
      if (usable && criterion.reference[n] !== null && unit !== null) {
        const depth = Math.max(criterion.k[place.k] * unit, criterion.floor[place.floor]);
        one.reference = criterion.reference[n];
        // A rule that is more than a threshold has none to draw.
        if (!criterion.fixed) one.threshold = one.reference + sign * depth;
      }
      rows.push(one);
    }
    draw("one", { ratings: rows, shades: episodes.map(bar) });
    const name = data.courses[course];
    const parts = episodes.map((one) => "sessions " + data.sessions[one.first] + " to " +
      data.sessions[one.end] + " (" + (one.status === "censored" ? "outcome not known" : one.status) + ")");
    say("told", "Course " + name + ": " + rows.length + " ratings (black), " +
      (parts.length ? "episodes in " + parts.join(", ") : "no episode by this setting") +
      ". Thin grey: what a rating is compared with; broken: how low a single rating must lie.");
    byId("one").setAttribute("aria-label", byId("told").textContent);
  }

  function choose(number) {
    course = number;
    byId("course").value = String(number);
    showCourses();
    keep();
  }

  // ---- the address: what is shown, so that a link shows the same

  function keep() {
    const state = new URLSearchParams({ measure: data.name, criterion: criterion.id });
    if (!criterion.refusal) for (const name of sliders) state.set(name, String(criterion[name][place[name]]));
    if (data.individuals) state.set("course", data.courses[course]);
    history.replaceState(null, "", "#" + state);
  }

  async function follow() {
    const state = new URLSearchParams(location.hash.slice(1));
    const name = names.includes(state.get("measure")) ? state.get("measure") : every.shown;
    if (!data || name !== data.name) await measure(name);
    pick(state.get("criterion"), state);
    const number = data.individuals ? data.courses.indexOf(state.get("course")) : -1;
    if (number >= 0) choose(number);
  }

  // ---- the page

  function show() {
    showSettings();
    showCounts();
    showCourses();
    keep();
  }

  function pick(id, state = new URLSearchParams()) {
    const known = (one) => data.criteria.find((other) => other.id === one);
    criterion = known(id) || known(data.shown) || data.criteria[0];
    byId("criterion").value = criterion.id;
    place = {};
    sliders.forEach((name, n) => {
      const asked = (criterion[name] || []).findIndex((value) => String(value) === state.get(name));
      place[name] = asked >= 0 ? asked : (criterion.start || [0, 0, 0])[n];
    });
    show();
  }

  async function measure(name) {
    data = every.measures[name];
    byId("measure").value = name;
    say("measured", data.measure);
    course = 0;
    byId("criterion").replaceChildren();
    for (const one of data.criteria)
      option(byId("criterion"), one.id, one.name + (one.refusal ? " (not assessable)" : ""));
    if (!data.individuals) return;
    byId("course").replaceChildren();
    data.courses.forEach((one, n) => option(byId("course"), String(n), one));
    every.charts.overview.height = 8 * data.courses.length + 12;
    await prepare("overview", every.charts.overview);
    const named = (key, value) => (value === "@measure" ? data.measure : value);
    await prepare("one", JSON.parse(JSON.stringify(every.charts.course), named));
    draw("overview", { courses: data.courses.map((_, n) => line(n)) });
    views.overview.addEventListener("click", (event, item) => {
      if (item && item.datum && item.datum.row !== undefined) choose(item.datum.row);
    });
  }

  for (const name of names) option(byId("measure"), name, every.measures[name].measure);
  byId("measures").hidden = names.length < 2;
  byId("curve").hidden = false;
  await prepare("by_k", every.charts.by_k);
  await follow();
  byId("measure").addEventListener("change", async (event) => {
    const before = criterion.id;
    await measure(event.target.value);
    pick(before);
  });
  if (byId("course"))
    byId("course").addEventListener("change", (event) => choose(Number(event.target.value)));
  byId("criterion").addEventListener("change", (event) => pick(event.target.value));
  byId("reset").addEventListener("click", () => pick(criterion.id));
  for (const name of sliders)
    byId(name).addEventListener("input", (event) => { place[name] = Number(event.target.value); show(); });
  byId("controls").addEventListener("submit", (event) => event.preventDefault());
  window.addEventListener("hashchange", follow);
  await Promise.all(Object.values(views).map((view) => view.runAsync()));
  document.documentElement.dataset.ready = "yes";
})();
