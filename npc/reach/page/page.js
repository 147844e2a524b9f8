
"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const $ = id => document.getElementById(id);
const parties = data.parties, count = parties.length, OUTSIDE = count;
const SVG = "http://www.w3.org/2000/svg";

// Text alone is ever put into the page: what the input says is data, whatever it looks like.
function make(tag, className, text, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined && text !== null) element.textContent = text;
  element.append(...children);
  return element;
}
function draw(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}
const has = (set, number) => {
  const hex = data.sets[set], digit = hex.length - 1 - (number >> 2);
  return digit >= 0 && (parseInt(hex[digit], 16) >> (number & 3) & 1) === 1;
};
const each = set => { const found = []; for (let n = 0; n < count; n++) if (has(set, n)) found.push(n); return found; };
const name = number => number === OUTSIDE ? "outside" : parties[number].name;
const family = which => which ? ` (IPv${which})` : "";
const plural = (number, word) => `${number.toLocaleString("en")} ${word}${number === 1 ? "" : "s"}`;

// What passes from one to another: places of traffic, each with a family or the blocks outside.
const rowCache = new Map();
function rowOf(source) {
  const place = data.rowOf[source];
  if (!rowCache.has(place)) {
    const cells = new Array(count).fill(null);
    for (const [traffic, which, set] of data.rows[place])
      for (const number of each(set)) (cells[number] ??= []).push({ traffic, which });
    rowCache.set(place, cells);
  }
  return rowCache.get(place);
}
function passing(source, destination) {
  if (source === OUTSIDE && destination === OUTSIDE) return [];
  if (source === OUTSIDE) return data.arriving[data.arrivingOf[destination]].map(([traffic, blocks]) => ({ traffic, blocks }));
  if (destination === OUTSIDE) return data.leaving[data.leavingOf[source]].map(([traffic, blocks]) => ({ traffic, blocks }));
  if (isAlone(source, destination)) return [];
  return rowOf(source)[destination] || [];
}
const isAlone = (source, destination) => source === destination && source !== OUTSIDE && !parties[source].others;
const words = one => data.traffic[one.traffic] + family(one.which) + (one.blocks === undefined ? "" : `  ${data.blocks[one.blocks]}`);
function shade(found, source, destination) {
  if ((source === OUTSIDE && destination === OUTSIDE) || isAlone(source, destination)) return "self";
  if (!found.length) return "";
  return found.some(one => data.numbers[one.traffic].length === 0) ? "all" : "some";
}

// The filters: words that all must be in a name; a port that must be among the traffic.
const PROTOCOLS = { icmp: 1, tcp: 6, udp: 17, icmpv6: 58, sctp: 132 };
const matches = (number, text) => text.split(/\s+/).every(word => name(number).toLowerCase().includes(word));
function wantedPort(text) {
  const found = /^(?:([a-z0-9]+)\/)?([0-9]{1,5})$/.exec(text);
  if (!found) return text in PROTOCOLS ? one => within(one, PROTOCOLS[text] * 65536, PROTOCOLS[text] * 65536 + 65535) : null;
  const protocols = found[1] ? [PROTOCOLS[found[1]]] : [6, 17, 132];
  return one => protocols.some(protocol => within(one, protocol * 65536 + +found[2], protocol * 65536 + +found[2]));
}
const within = (one, first, last) => {
  const ranges = data.numbers[one.traffic];
  return !ranges.length || ranges.some(([low, high]) => low <= last && first <= high);
};
let sources = [], destinations = [], portFilter = null, current = null, view = "matrix";
function filter() {
  const texts = ["from", "to", "port"].map(id => $(id).value.trim().toLowerCase());
  const everyone = [...parties.keys(), OUTSIDE];
  sources = everyone.filter(number => matches(number, texts[0]));
  destinations = everyone.filter(number => matches(number, texts[1]));
  portFilter = texts[2] ? wantedPort(texts[2]) || (() => false) : null;
  $("found").textContent = texts.some(Boolean) ? `${sources.length} from, ${destinations.length} to` : "";
  $("grid").scrollTo(0, 0);
  cursor = { row: 0, column: 0 };
  layOut();
  if (view === "graph") showGraph();
}

// The matrix: only the cells in sight are in the page, so that thousands of workloads are no matter.
let cursor = { row: 0, column: 0 }, size = { width: 22, height: 22, head: 150, side: 220 };
function layOut() {
  const longest = Math.max(8, ...sources.map(number => name(number).length));
  const isSmall = destinations.length <= 24;
  size = { width: isSmall ? 104 : 22, height: isSmall ? 30 : 22, head: isSmall ? 52 : 170, side: Math.min(330, 36 + longest * 7.1) };
  $("space").style.width = `${size.side + destinations.length * size.width + 20}px`;
  $("space").style.height = `${size.head + sources.length * size.height + 20}px`;
  $("grid").setAttribute("aria-rowcount", sources.length);
  $("grid").setAttribute("aria-colcount", destinations.length);
  paint();
}
function nameInto(element, number) {
  const party = parties[number];
  if (!party) { element.append("outside"); return; }
  const space = `${party.ns}/`;
  if (party.name.startsWith(space)) element.append(make("span", "ns", space), make("span", "", party.name.slice(space.length)));
  else element.append(party.name);
}
function place(element, left, top, width, height) {
  Object.assign(element.style, { left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px` });
  return element;
}
function paint() {
  const grid = $("grid"), { width, height, head, side } = size;
  const x = grid.scrollLeft, y = grid.scrollTop;
  const firstRow = Math.max(0, Math.floor(y / height) - 2), lastRow = Math.min(sources.length, Math.ceil((y + grid.clientHeight) / height) + 2);
  const firstColumn = Math.max(0, Math.floor(x / width) - 2), lastColumn = Math.min(destinations.length, Math.ceil((x + grid.clientWidth) / width) + 2);
  const cells = [], rows = [place(make("div", "back"), 0, -y, side, head + sources.length * height)];
  const columns = [place(make("div", "back"), -x, 0, Math.max(grid.clientWidth, side + destinations.length * width), head)];
  for (let column = firstColumn; column < lastColumn; column++) {
    const element = make("div", `column ${width > 50 ? "wide" : "tall"}`);
    nameInto(element, destinations[column]);
    element.title = name(destinations[column]);
    element.classList.toggle("lit", column === cursor.column && current !== null);
    element.addEventListener("click", () => showParty(destinations[column]));
    columns.push(place(element, side + column * width - x, 0, width, head));
  }
  for (let row = firstRow; row < lastRow; row++) {
    const source = sources[row];
    const label = make("div", "row");
    nameInto(label, source);
    label.title = name(source);
    label.style.lineHeight = `${height}px`;
    label.classList.toggle("lit", row === cursor.row && current !== null);
    label.addEventListener("click", () => showParty(source));
    rows.push(place(label, 0, head + row * height - y, side, height));
    for (let column = firstColumn; column < lastColumn; column++) {
      const destination = destinations[column], found = passing(source, destination);
      const element = make("div", `cell ${shade(found, source, destination)}`);
      const text = found.map(one => data.traffic[one.traffic] + family(one.which)).join(", ");
      if (width > 50) element.textContent = text;
      element.style.lineHeight = `${height}px`;
      element.title = `${name(source)} → ${name(destination)}: ${text || "nothing"}`;
      element.setAttribute("role", "gridcell");
      element.setAttribute("aria-label", element.title);
      element.id = `cell-${row}-${column}`;
      if (portFilter && !found.some(portFilter)) element.classList.add("faded");
      if (row === cursor.row && column === cursor.column) element.classList.add("current");
      element.addEventListener("click", () => choose(row, column));
      cells.push(place(element, side + column * width, head + row * height, width, height));
    }
  }
  $("cells").replaceChildren(...cells);
  $("rows").replaceChildren(...rows);
  $("columns").replaceChildren(...columns);
  const corner = place(make("div", "back"), 0, 0, side, head);
  $("corner").replaceChildren(corner);
  $("grid").setAttribute("aria-activedescendant", `cell-${cursor.row}-${cursor.column}`);
}
function choose(row, column) {
  cursor = { row, column };
  current = [sources[row], destinations[column]];
  showCell(...current);
  paint();
}
function moveTo(row, column) {
  if (!sources.length || !destinations.length) return;
  cursor = { row: Math.min(Math.max(row, 0), sources.length - 1), column: Math.min(Math.max(column, 0), destinations.length - 1) };
  const grid = $("grid"), top = cursor.row * size.height, left = cursor.column * size.width;
  if (top < grid.scrollTop) grid.scrollTop = top;
  if (top + size.height > grid.scrollTop + grid.clientHeight - size.head) grid.scrollTop = top + size.height - grid.clientHeight + size.head;
  if (left < grid.scrollLeft) grid.scrollLeft = left;
  if (left + size.width > grid.scrollLeft + grid.clientWidth - size.side) grid.scrollLeft = left + size.width - grid.clientWidth + size.side;
  paint();
}

// Explanations.
const covers = (sets, number) => sets.some(set => has(set, number));
function decisions(table, subject, peer) {
  const found = new Map();
  for (const [traffic, sets, blocks, ruling] of table.classes[table.of[subject]]) {
    if (peer === OUTSIDE ? blocks < 0 : !covers(sets, peer)) continue;
    const one = { blocks: peer === OUTSIDE ? blocks : undefined, ruling, which: 0 };
    if (peer !== OUTSIDE && sets.length > 1 && !(has(sets[0], peer) && has(sets[1], peer))) one.which = has(sets[0], peer) ? 4 : 6;
    const key = JSON.stringify([one.blocks, one.which, ruling]);
    if (!found.has(key)) found.set(key, { ...one, ranges: [] });
    found.get(key).ranges.push(...(data.numbers[traffic].length ? data.numbers[traffic] : ALL));
  }
  return [...found.values()].map(one => ({ ...one, text: describe(one.ranges) }));
}
// Traffic is ranges of numbers: protocol × 65536 + port. It is told by what it leaves out where that is shorter.
const ALL = [[0, 255 * 65536 + 65535]], NAMES = Object.fromEntries(Object.entries(PROTOCOLS).map(([word, number]) => [number, word]));
function describe(ranges) {
  const sorted = [...ranges].sort((one, other) => one[0] - other[0]), own = [];
  for (const [low, high] of sorted)
    if (own.length && low <= own.at(-1)[1] + 1) own.at(-1)[1] = Math.max(own.at(-1)[1], high);
    else own.push([low, high]);
  const others = [];
  let next = 0;
  for (const [low, high] of own) { if (low > next) others.push([next, low - 1]); next = high + 1; }
  if (next <= ALL[0][1]) others.push([next, ALL[0][1]]);
  if (!others.length) return "any";
  const said = portWords(own), left = portWords(others);
  return left.length < said.length ? `all but ${left.join(", ")}` : said.join(", ");
}
function portWords(ranges) {
  const found = [];
  for (const [low, high] of ranges)
    for (let protocol = Math.floor(low / 65536); protocol <= Math.floor(high / 65536); protocol++) {
      const first = Math.max(low - protocol * 65536, 0), last = Math.min(high - protocol * 65536, 65535);
      const word = NAMES[protocol] || `protocol ${protocol}`;
      found.push(first === 0 && last === 65535 ? word : `${word}/${numberWords(protocol, first, last)}`);
    }
  return found;
}
// As npc writes them: ports, of ICMP types or TYPE.CODE.
function numberWords(protocol, first, last) {
  if (protocol !== 1 && protocol !== 58) return last > first ? `${first}-${last}` : `${first}`;
  const low = Math.floor(first / 256), high = Math.floor(last / 256);
  if (first % 256 === 0 && last % 256 === 255) return high > low ? `${low}-${high}` : `${low}`;
  return `${low}.${first % 256}${last > first ? `-${high}.${last % 256}` : ""}`;
}
function policyText(place, line) {
  const policy = data.policies[place];
  const box = make("details", "", null, make("summary", "", `${policy.file}:${line || policy.line}`));
  const text = make("pre");
  policy.lines.forEach((content, offset) => {
    const number = policy.line + offset;
    text.append(make("span", number === line ? "hit" : "", null, make("span", "number", number), document.createTextNode(content || " ")));
  });
  box.append(text);
  box.addEventListener("toggle", () => { const hit = text.querySelector(".hit"); if (hit) text.scrollTop = hit.offsetTop - text.offsetTop - 60; });
  return box;
}
function ruleText(place, open) {
  const rule = data.rules[place], policy = data.policies[rule.policy];
  const box = policyText(rule.policy, rule.line);
  box.open = open;
  return [make("p", "", `${policy.kind} ${policy.name}, ${rule.name}`), make("p", "ports", rule.text), box];
}
function nearest(direction, subject, peer) {
  const place = data.nearest[direction][subject]?.[peer];
  const box = make("div", "nearest");
  if (place === undefined) return [];
  for (const [rule, text] of data.misses[place])
    box.append(make("p", "", `closest, but it misses: ${text}`), ...ruleText(rule, false));
  return [box];
}
function decision(one, open) {
  const { ruling } = one, verdict = ruling.allowed ? "good" : "bad";
  const box = make("div", `decision ${verdict}`);
  box.append(make("p", "", null, make("span", `verdict ${verdict}`, ruling.allowed ? "allowed " : "denied "), make("span", "ports", one.text + family(one.which) + (one.blocks === undefined ? "" : `  ${data.blocks[one.blocks]}`))));
  if (ruling.rule >= 0) box.append(...ruleText(ruling.rule, open));
  else box.append(make("p", "", ruling.ground));
  for (const place of ruling.isolating)
    box.append(make("p", "", data.policies[place].name), policyText(place));
  if (ruling.passed >= 0) box.append(make("p", "", "before it, passed on by:"), ...ruleText(ruling.passed, false));
  return box;
}
function side(title, direction, subject, peer) {
  const table = data[direction];
  const found = subject === OUTSIDE ? [] : decisions(table, subject, peer);
  found.sort((one, other) => other.ruling.allowed - one.ruling.allowed);
  const box = [make("h3", "", title)];
  if (subject === OUTSIDE) box.push(make("p", "", "It is outside: no policy is for it."));
  found.forEach((one, number) => box.push(decision(one, number === 0)));
  if (subject !== OUTSIDE && peer !== OUTSIDE) box.push(...nearest(direction, subject, peer));
  return box;
}
function showCell(source, destination) {
  const found = passing(source, destination), heading = make("h2");
  heading.append(link(source), " → ", link(destination));
  const parts = [heading];
  if (source === OUTSIDE && destination === OUTSIDE) parts.push(make("p", "", "Policies are for pods: none decides here."));
  else if (isAlone(source, destination)) parts.push(make("p", "", "One pod: it always reaches itself."));
  else {
    parts.push(make("p", `verdict ${found.length ? "good" : "bad"}`, found.length ? "This passes:" : "Nothing passes."));
    if (found.length) parts.push(make("ul", "ports", null, ...found.map(one => make("li", "", words(one)))));
    if (!found.length && !data.hasNearest && source !== OUTSIDE && destination !== OUTSIDE)
      parts.push(make("p", "", `Which rule comes closest, tells: npc query ${name(source)} ${name(destination)}`));
    parts.push(...side(`Egress, at ${name(source)}`, "egress", source, destination));
    parts.push(...side(`Ingress, at ${name(destination)}`, "ingress", destination, source));
  }
  $("details").replaceChildren(...parts);
  $("details").scrollTop = 0;
}
function link(number) {
  const button = make("button", "link", name(number));
  button.addEventListener("click", () => showParty(number));
  return button;
}
function connectionList(number, isSource) {
  const list = make("ul");
  for (const other of [...parties.keys(), OUTSIDE]) {
    const pair = isSource ? [number, other] : [other, number], found = passing(...pair);
    if (!found.length) continue;
    const button = make("button", "link", name(other));
    button.addEventListener("click", () => { current = pair; showCell(...pair); });
    list.append(make("li", "", null, button, document.createTextNode(" "), make("span", "ports", found.map(words).join(", "))));
  }
  return list.children.length ? list : make("p", "", "nothing");
}
function showParty(number) {
  const parts = [make("h2", "", name(number))];
  if (number !== OUTSIDE) {
    const party = parties[number];
    const more = party.size > party.pods.length ? `, and ${party.size - party.pods.length} more` : "";
    parts.push(make("p", "place", party.expected ? "known from its manifest alone, without an address" : `${plural(party.size, "pod")}: ${party.pods.join(", ")}${more}`));
  }
  parts.push(make("h3", "", "May send to"), connectionList(number, true), make("h3", "", "May get from"), connectionList(number, false));
  if (number !== OUTSIDE) parts.push(...exposureOf(number));
  $("details").replaceChildren(...parts);
  $("details").scrollTop = 0;
  if (view === "graph") choosePlace(number);
}
function exposureOf(number) {
  const list = make("ul");
  for (const one of data.exposure.filter(one => has(one.parties, number)))
    list.append(make("li", "", null, make("span", "ports", one.ports), document.createTextNode(` ${one.direction === "ingress" ? "from" : "to"} ${one.pods.join(", ")}`)));
  return list.children.length ? [make("h3", "", "With pods that do not exist yet"), list] : [];
}
function showExposure() {
  const body = make("tbody");
  for (const one of data.exposure) {
    const names = each(one.parties), cell = make("td");
    if (names.length === count && count > 2) cell.textContent = "everyone";
    else names.forEach((number, at) => cell.append(at ? ", " : "", link(number)));
    body.append(make("tr", "", null, cell, make("td", "", one.direction === "ingress" ? "from" : "to"), make("td", "", one.pods.join(", ")), make("td", "ports", one.ports)));
  }
  const head = make("tr", "", null, ...["Workloads", "", "Pods that do not exist yet", "Ports"].map(text => make("th", "", text)));
  $("exposure").replaceChildren(
    make("p", "note", "What each workload could exchange with pods to come, as far as its own policies decide: pods with the labels that rules ask for, and no others."),
    make("table", "", null, make("thead", "", null, head), body),
    ...data.notes.map(note => make("p", "note", note)));
}

// The graph: namespaces as boxes; with many edges, those of the chosen workload alone.
let spots = new Map(), edges = [];
const MOST_EDGES = 160;
function showGraph() {
  const shown = [...new Set([...sources, ...destinations])].sort((one, other) => one - other);
  const spaces = new Map();
  for (const number of shown) {
    const key = number === OUTSIDE ? "" : parties[number].ns;
    if (!spaces.has(key)) spaces.set(key, []);
    spaces.get(key).push(number);
  }
  const width = Math.max(600, $("graph").clientWidth - 10), box = 190, gap = 26, line = 34;
  spots = new Map();
  const drawn = [];
  let x = 24, y = 24, tallest = 0;
  for (const [space, numbers] of [...spaces].sort((one, other) => (one[0] === "") - (other[0] === ""))) {
    const deep = Math.min(numbers.length, Math.max(4, Math.ceil(Math.sqrt(numbers.length * 2))));
    const columns = Math.ceil(numbers.length / deep);
    const wide = columns * (box + 16) + 16, high = deep * line + 34;
    if (x > 24 && x + wide > width) { x = 24; y += tallest + gap * 2; tallest = 0; }
    const group = draw("g", { class: "space" });
    if (space) {
      group.append(draw("rect", { x, y, width: wide, height: high, rx: 8 }));
      const title = draw("text", { x: x + 14, y: y + 20 });
      title.textContent = short(space, wide / 7.5);
      group.append(title);
    }
    numbers.forEach((number, at) => spots.set(number, { x: x + 16 + Math.floor(at / deep) * (box + 16), y: y + 30 + (at % deep) * line, width: box, height: 26 }));
    drawn.push(group);
    x += wide + gap * 2;
    tallest = Math.max(tallest, high);
  }
  const total = { width: Math.max(width, ...[...spots.values()].map(one => one.x + one.width + 40)), height: y + tallest + 40 };
  edges = [];
  let many = 0;
  for (const source of sources) for (const destination of destinations) {
    if (source === destination) continue;
    const found = passing(source, destination);
    if (found.length && (!portFilter || found.some(portFilter))) { many += 1; if (many <= MOST_EDGES) edges.push([source, destination]); }
  }
  if (many > MOST_EDGES) edges = [];
  const svg = draw("svg", { width: total.width, height: total.height, role: "group", "aria-label": "Workloads and the connections between them" });
  const arrow = (id, color) => draw("marker", { id, viewBox: "0 0 8 8", refX: 8, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto" }, draw("path", { d: "M0 0L8 4L0 8z", fill: color }));
  const style = getComputedStyle(document.documentElement);
  svg.append(draw("defs", {}, arrow("arrow", style.getPropertyValue("--dim")), arrow("arrow-out", style.getPropertyValue("--out")), arrow("arrow-in", style.getPropertyValue("--in"))));
  svg.append(...drawn, draw("g", { id: "edges" }), draw("g", { id: "nodes" }));
  for (const [number, spot] of spots) {
    const text = draw("text", { x: spot.x + 10, y: spot.y + 17 });
    const party = parties[number];
    text.textContent = short(party ? name(number).replace(`${party.ns}/`, "") : "outside", 25);
    const title = draw("title", {});
    title.textContent = name(number);
    const node = draw("g", { class: "node", tabindex: 0, role: "button", "aria-label": name(number), "data-number": number },
      draw("rect", { x: spot.x, y: spot.y, width: spot.width, height: spot.height, rx: 5 }), text, title);
    node.addEventListener("click", () => showParty(number));
    node.addEventListener("keydown", event => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); showParty(number); } });
    svg.querySelector("#nodes").append(node);
  }
  const hint = make("p", "legend", many > MOST_EDGES ? `${plural(many, "connection")}: choose a workload to see its own.` : `${plural(many, "connection")}.`);
  $("graph").replaceChildren(hint, svg);
  drawEdges(null);
}
const short = (text, most) => text.length > most ? `${text.slice(0, Math.max(1, Math.floor(most) - 1))}…` : text;
function path(from, to) {
  const a = spots.get(from), b = spots.get(to);
  const right = b.x >= a.x + a.width, left = b.x + b.width <= a.x;
  const start = { x: left ? a.x : a.x + a.width, y: a.y + a.height / 2 };
  const end = { x: right ? b.x : left ? b.x + b.width : b.x + b.width, y: b.y + b.height / 2 };
  const reach = right || left ? Math.max(40, Math.abs(end.x - start.x) / 2) : 60;
  const out = left ? -reach : reach, back = right ? -reach : left ? reach : reach;
  return `M${start.x} ${start.y}C${start.x + out} ${start.y} ${end.x + back} ${end.y} ${end.x} ${end.y}`;
}
function drawEdges(chosen) {
  const layer = document.getElementById("edges");
  if (!layer) return;
  const found = [];
  if (chosen === null) for (const [from, to] of edges) found.push(draw("path", { class: "edge", d: path(from, to), "marker-end": "url(#arrow)" }));
  else for (const other of spots.keys()) {
    if (other === chosen) continue;
    const keep = list => list.length && (!portFilter || list.some(portFilter));
    if (keep(passing(chosen, other))) found.push(draw("path", { class: "edge out", d: path(chosen, other), "marker-end": "url(#arrow-out)" }));
    if (keep(passing(other, chosen))) found.push(draw("path", { class: "edge in", d: path(other, chosen), "marker-end": "url(#arrow-in)" }));
  }
  layer.replaceChildren(...found);
}
function choosePlace(number) {
  for (const node of document.querySelectorAll("svg .node")) {
    const own = +node.dataset.number;
    node.classList.toggle("chosen", own === number);
    node.classList.toggle("faded", own !== number && !passing(number, own).length && !passing(own, number).length);
  }
  if (!spots.has(number)) return;
  drawEdges(number);
  const hint = document.querySelector("#graph .legend");
  if (hint) hint.replaceChildren(make("span", "out", "may send to"), ", ", make("span", "in", "may get from"), ` ${name(number)}`);
}

// Views, keys, and the beginning.
const VIEWS = ["matrix", "graph", "exposure"];
function show(which) {
  view = which;
  for (const one of VIEWS) {
    $(one).hidden = one !== which;
    $(`tab-${one}`).setAttribute("aria-selected", one === which);
    $(`tab-${one}`).tabIndex = one === which ? 0 : -1;
  }
  if (which === "graph") showGraph();
  if (which === "matrix") paint();
}
VIEWS.forEach((one, at) => {
  $(`tab-${one}`).addEventListener("click", () => show(one));
  $(`tab-${one}`).addEventListener("keydown", event => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = VIEWS[(at + step + VIEWS.length) % VIEWS.length];
    show(next);
    $(`tab-${next}`).focus();
  });
});
$("grid").addEventListener("scroll", () => requestAnimationFrame(paint));
$("grid").addEventListener("keydown", event => {
  const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], PageUp: [-15, 0], PageDown: [15, 0], Home: [0, -1e6], End: [0, 1e6] };
  if (event.key in steps) { event.preventDefault(); moveTo(cursor.row + steps[event.key][0], cursor.column + steps[event.key][1]); }
  else if (event.key === "Enter" || event.key === " ") { event.preventDefault(); if (sources.length && destinations.length) choose(cursor.row, cursor.column); }
});
for (const id of ["from", "to", "port"]) $(id).addEventListener("input", filter);
document.addEventListener("keydown", event => {
  if (event.key === "/" && !(event.target instanceof HTMLInputElement)) { event.preventDefault(); $("from").focus(); }
});
window.addEventListener("resize", () => { if (view === "matrix") paint(); else if (view === "graph") showGraph(); });
const pairs = parties.reduce((sum, _, source) => sum + rowOf(source).reduce((own, found, destination) => own + (found && !isAlone(source, destination) ? 1 : 0), 0), 0);
$("summary").textContent = `${plural(count, "workload")}, ${plural(pairs, "pair")} that may exchange something`;
$("details").replaceChildren(make("p", "note", "Choose a cell to see what passes and which rules decide; choose a name to see all of a workload's connections."), ...data.notes.map(note => make("p", "note", note)));
showExposure();
filter();
