// Looks up what the program found at each setting and draws it; nothing is detected here.
"use strict";
(async function () {
  const byId = (id) => document.getElementById(id);
  const bytes = Uint8Array.from(atob(byId("data").textContent), (c) => c.charCodeAt(0));
  const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  const data = JSON.parse(await new Response(unpacked).text());
  const sliders = ["k", "floor", "within"];
  const views = {};
  let criterion, place, course = 0;

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
  function index(k = place.k) {
    return (k * criterion.floor.length + place.floor) * criterion.within.length + place.within;
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
    views[name].runAsync();
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

  function showSettings() {
    for (const name of sliders) {
      const slider = byId(name), values = criterion.refusal ? [] : criterion[name];
      slider.disabled = values.length < 2;
      slider.max = Math.max(values.length - 1, 0);
      slider.value = place[name];
      const text = values.length ? words[name](values[place[name]]) : "–";
      slider.setAttribute("aria-valuetext", text);
      say(name + "-value", text);
    }
    byId("reset").disabled = criterion.refusal || Boolean(criterion.fixed);
    say("fixed", criterion.refusal ? "Not assessable: " + criterion.refusal + "." : criterion.fixed || "");
    say("about", criterion.rule + " Source: " + criterion.source + " (" + criterion.standing + ").");
  }

  // ---- what is found

  function showCounts() {
    const now = criterion.refusal ? null : row(index());
    for (const name of ["episodes", "courses", "unrepaired", "censored", "assessable", "repaired"])
      say(name, now ? count(now[name]) : "–");
    const noise = now && now.expected !== null;
    const error = noise && now.error !== null ? " ± " + now.error.toFixed(now.error < 1 ? 2 : 1) : "";
    say("expected", noise ? now.expected.toFixed(1) + error : "–");
    say("expected_courses", noise ? now.expected_courses.toFixed(1) : "–");
    say("expected_repaired",
      noise && now.expected_repaired !== null ? percent(now.expected_repaired) + " of those decided" : "–");
    if (now && now.repaired !== null && now.repaired + now.unrepaired > 0)
      say("repaired", whole(now.repaired) + " (" + percent(now.repaired / (now.repaired + now.unrepaired)) +
        " of those decided)");
    showSentence(now, noise);
    const rows = [], many = criterion.refusal ? [] : criterion.k;
    many.forEach((k, n) => {
      const at = row(index(n)), spread = at.error === null ? 0 : 2 * at.error;
      if (at.episodes !== null) rows.push({ k, what: "observed", value: at.episodes });
      if (at.expected !== null)
        rows.push({ k, what: "by noise alone", value: at.expected,
          low: Math.max(at.expected - spread, 0), high: at.expected + spread });
    });
    draw("by_k", { by_k: rows, now: many.length ? [{ k: many[place.k] }] : [] });
    byId("by_k").setAttribute("aria-label", "Episodes against k. " + byId("sentence").textContent);
  }

  function showSentence(now, noise) {
    let text = "";
    if (!now) text = "This criterion cannot be applied: " + criterion.refusal + ".";
    else if (now.episodes === null) text = "The number of episodes is withheld: it, or what it leaves of another number, is below " + data.min_cell + ".";
    else {
      text = whole(now.episodes) + (now.episodes === 1 ? " episode" : " episodes");
      if (now.courses !== null) text += " in " + whole(now.courses) + " of " + count(now.assessable) + " courses";
      text += noise ? "; noise alone makes about " + short(now.expected) + "." : ".";
    }
    say("sentence", text);
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
      ". Thin grey: what a rating is compared with; broken: how low it must lie.");
    byId("one").setAttribute("aria-label", byId("told").textContent);
  }

  function choose(number) {
    course = number;
    byId("course").value = String(number);
    showCourses();
  }

  // ---- the page

  function show() { showSettings(); showCounts(); showCourses(); }

  function pick(id) {
    criterion = data.criteria.find((one) => one.id === id);
    const [k, floor, within] = criterion.start || [0, 0, 0];
    place = { k, floor, within };
    show();
  }

  await prepare("by_k", data.charts.by_k);
  if (data.individuals) {
    data.charts.overview.height = 8 * data.courses.length + 12;
    await prepare("overview", data.charts.overview);
    await prepare("one", data.charts.course);
    draw("overview", { courses: data.courses.map((_, n) => line(n)) });
    views.overview.addEventListener("click", (event, item) => {
      if (item && item.datum && item.datum.row !== undefined) choose(item.datum.row);
    });
  }
  for (const one of data.criteria)
    option(byId("criterion"), one.id, one.name + (one.refusal ? " (not assessable)" : ""));
  if (data.individuals) {
    data.courses.forEach((name, n) => option(byId("course"), String(n), name));
    byId("course").addEventListener("change", (event) => choose(Number(event.target.value)));
  }
  byId("criterion").addEventListener("change", (event) => pick(event.target.value));
  byId("reset").addEventListener("click", () => pick(criterion.id));
  for (const name of sliders)
    byId(name).addEventListener("input", (event) => { place[name] = Number(event.target.value); show(); });
  byId("controls").addEventListener("submit", (event) => event.preventDefault());
  byId("criterion").value = data.shown;
  pick(data.shown);
  await Promise.all(Object.values(views).map((view) => view.runAsync()));
  document.documentElement.dataset.ready = "yes";
})();
