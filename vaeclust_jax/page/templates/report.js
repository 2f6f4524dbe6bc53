"use strict";
// What a person does with the page: colours of the map, search, selection, and new names for clusters.
// Names, merges and marks are kept by the browser under the key of these results, and are in every file saved.
(async () => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const all = selector => [...document.querySelectorAll(selector)];
  const one = id => document.getElementById(id);
  const ids = data.clusters.map(each => each.cluster);

  // ---- what the person said: name, into and mistrusted, by cluster
  const said = {name: {}, into: {}, mistrusted: {}};
  try {
    const kept = JSON.parse(localStorage.getItem(data.key)) ?? {};
    for (const part in said) Object.assign(said[part], kept[part]);
  } catch { /* the browser keeps nothing, or not what we wrote */ }
  const keep = () => {
    try {
      localStorage.setItem(data.key, JSON.stringify(said));
    } catch { /* the page works without */ }
  };
  // The cluster that one was merged into, in the end.
  const root = cluster => {
    for (const _ of ids) cluster = said.into[cluster] ?? cluster;
    return cluster;
  };
  const named = cluster => said.name[root(cluster)] || `cluster ${root(cluster)}`;
  const short = cluster => said.name[root(cluster)] || String(root(cluster));
  const spoken = cluster => Boolean(said.name[root(cluster)]) || ids.some(each => root(each) !== each && root(each) === root(cluster));
  const trusted = cluster => !said.mistrusted[cluster] && !said.mistrusted[root(cluster)];

  // ---- the map, which Bokeh draws a moment after this script begins
  while (!globalThis.Bokeh?.documents.length) await new Promise(done => setTimeout(done, 20));
  const model = name => Bokeh.documents[0].get_model_by_name(name);
  const [points, labels, shown, dots] = ["points", "labels", "shown", "dots"].map(model);
  const rows = [...points.get("row")], cluster = [...points.get("cluster")];
  const files = points.data.file && [...points.get("file")];
  const hidden = new Set();
  let view = 0;

  const paint = () => {
    const {ids: places, palette} = data.views[view];
    const colour = place => palette[view === 0 ? root(place) : place];
    points.data = {...points.data, colour: places.map(colour)};
    shown.indices = [...places.keys()].filter(index => !hidden.has(places[index]));
    labels.data = {...labels.data, text: [...labels.get("cluster")].map(short)};
  };

  for (const radio of all("[name=view]")) {
    radio.addEventListener("change", () => {
      view = Number(radio.value);
      hidden.clear();
      for (const legend of all(".legend")) legend.hidden = legend.dataset.view !== radio.value;
      for (const button of all(".legend button")) button.setAttribute("aria-pressed", "true");
      paint();
    });
  }
  for (const button of all(".legend button")) {
    button.addEventListener("click", () => {
      const entry = Number(button.dataset.entry), hide = !hidden.has(entry);
      hidden[hide ? "add" : "delete"](entry);
      button.setAttribute("aria-pressed", String(!hide));
      paint();
    });
  }
  const size = one("size");
  size.value = dots.glyph.size.value;
  size.addEventListener("input", () => {
    dots.glyph.size = Number(size.value);
    dots.selection_glyph.size = Number(size.value) + 6;
  });

  // ---- what is chosen: by the lasso, or by what is searched for
  const chosen = () => [...points.selected.indices];
  const describe = () => {
    const counts = new Map();
    for (const index of chosen()) counts.set(named(cluster[index]), (counts.get(named(cluster[index])) ?? 0) + 1);
    const parts = [...counts].sort((a, b) => b[1] - a[1]).map(([name, count]) => `${count} in ${name}`);
    const more = parts.length > 4 ? `, and ${parts.length - 4} more` : "";
    const total = chosen().length;
    const nothing = one("find").value && "none found";
    one("chosen").textContent = total ? `${total} chosen: ${parts.slice(0, 4).join(", ")}${more}` : nothing;
    one("save-chosen").hidden = one("clear").hidden = !total;
  };
  points.selected.properties.indices.change.connect(describe);
  const choose = indices => {
    points.selected.indices = indices;
    describe();
  };
  one("find").addEventListener("input", event => {
    const text = event.target.value.trim().toLowerCase();
    const found = index => String(rows[index]) === text || files?.[index].toLowerCase().includes(text);
    choose(text ? [...rows.keys()].filter(found) : []);
  });
  one("clear").addEventListener("click", () => {
    one("find").value = "";
    choose([]);
  });

  // ---- cards
  const cards = all("article");
  const apply = () => {
    for (const card of cards) {
      const own = Number(card.dataset.cluster), end = root(own);
      const title = said.name[own] ? `${said.name[own]} (cluster ${own})` : `Cluster ${own}`;
      card.querySelector("h3 .name").textContent = title;
      card.querySelector("h3 .swatch").style.background = data.clusters[end].colour;
      const state = [end !== own && `Merged into ${named(own)}.`, !trusted(own) && "Marked: do not trust."];
      card.querySelector(".state").textContent = state.filter(Boolean).join(" ");
      card.querySelector(".state").hidden = !state.some(Boolean);
      card.querySelector(".rename").value = said.name[own] ?? "";
      card.querySelector(".mark").checked = Boolean(said.mistrusted[own]);
      const merge = card.querySelector(".merge");
      // Into itself, or into one that was merged into it, would be a circle.
      const others = ids.filter(each => root(each) === each && each !== own || each === said.into[own]);
      const options = others.map(each => new Option(said.name[each] || `cluster ${each}`, each));
      merge.replaceChildren(new Option("no other", ""), ...options);
      merge.value = said.into[own] ?? "";
    }
    for (const button of all(".legend[data-view='0'] button")) {
      button.querySelector(".name").textContent = short(Number(button.dataset.entry));
      button.querySelector(".swatch").style.background = data.clusters[root(Number(button.dataset.entry))].colour;
    }
    for (const link of all("[data-names]")) link.textContent = named(Number(link.dataset.names));
    paint();
    describe();
  };
  const say = (part, own, value) => {
    if (value === "" || value === false) delete said[part][own];
    else said[part][own] = value;
    keep();
    apply();
  };
  for (const card of cards) {
    const own = Number(card.dataset.cluster), [rename, merge, mark] = card.querySelectorAll(".rename, .merge, .mark");
    card.querySelector("form").addEventListener("submit", event => event.preventDefault());
    rename.addEventListener("change", () => say("name", own, rename.value.trim()));
    merge.addEventListener("change", () => say("into", own, merge.value && Number(merge.value)));
    mark.addEventListener("change", () => say("mistrusted", own, mark.checked));
  }
  one("undo").addEventListener("click", () => {
    for (const part in said) said[part] = {};
    keep();
    apply();
  });

  // ---- files
  // Columns of all samples, or of those on the map where the page does not hold all.
  const columns = async () => {
    if (data.samples === null) {
      return {row: rows, file: files ?? null, cluster, probability: [...points.get("probability")]};
    }
    const bytes = Uint8Array.from(atob(data.samples), character => character.charCodeAt(0));
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"))).json();
  };
  const records = async wanted => {
    const {row, file, cluster: found, probability} = await columns();
    // For `vaeclust run --hints`: of clusters that were named or merged, and are trusted, the surer half of each.
    const of = new Map(ids.map(each => [each, []]));
    found.forEach((each, index) => of.get(each)?.push(probability[index]));
    const median = new Map([...of].map(([each, values]) => [each, values.sort((a, b) => a - b)[values.length >> 1]]));
    const hint = index => spoken(found[index]) && trusted(found[index]) && probability[index] >= median.get(found[index]);
    const made = row.map((number, index) => ({
      row: number,
      ...(file && {[data.names_are]: file[index]}),
      cluster: root(found[index]),
      name: named(found[index]),
      probability: probability[index],
      trusted: trusted(found[index]) ? "yes" : "no",
      label: hint(index) ? named(found[index]) : "",
    }));
    return wanted ? made.filter(each => wanted.has(each.row)) : made;
  };
  const cell = value => {
    const text = /^[=+\-@\t\r]/.test(value) && typeof value === "string" ? `'${value}` : String(value);  // no formula
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const csv = made => {
    const lines = [Object.keys(made[0]), ...made.map(Object.values)];
    return lines.map(line => line.map(cell).join(",") + "\n").join("");
  };
  const save = (text, name) => {
    const href = URL.createObjectURL(new Blob([text]));
    Object.assign(document.createElement("a"), {href, download: name}).click();
    setTimeout(() => URL.revokeObjectURL(href), 1000);
  };
  one("save-csv").addEventListener("click", async () => save(csv(await records()), "labels.csv"));
  one("save-chosen").addEventListener("click", async () => {
    save(csv(await records(new Set(chosen().map(index => rows[index])))), "chosen.csv");
  });
  one("save-json").addEventListener("click", async () => {
    const about = each => ({cluster: each, merged_into: root(each), name: named(each), trusted: trusted(each)});
    const clusters = ids.map(about);
    save(JSON.stringify({clusters, samples: await records()}), "labels.json");
  });

  // ---- a link into a section that is folded opens it
  const unfold = () => {
    const target = one(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    for (const fold of target.querySelectorAll(":scope > details:has(> summary h2)")) fold.open = true;
    for (let fold = target.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
    target.scrollIntoView();
  };
  addEventListener("hashchange", unfold);

  apply();
  unfold();
  document.documentElement.classList.add("ready");
})();
