/*
 * What makes a page usable for everybody and can be judged from outside: names of what can be used, contrast, headings,
 * references, and that nothing is wider than the window or its panel, nor cut off. The value is a list of complaints.
 */
(() => {
  const complaints = [];
  const say = (what, element) => complaints.push(`${what}: ${element.outerHTML.slice(0, 120)}`);
  const isSeen = (element) => {
    const { width, height } = element.getBoundingClientRect();
    return width > 1 && height > 1 && element.checkVisibility({ checkVisibilityCSS: true });
  };
  const all = (selector) => [...document.querySelectorAll(selector)].filter(isSeen);

  for (const element of all(
    "a[href], button, input, select, [role=grid], [role=img], section, dialog, nav",
  )) {
    const byId = (element.getAttribute("aria-labelledby") ?? "").split(" ").filter(Boolean);
    const names = [
      element.getAttribute("aria-label"),
      ...byId.map((id) => document.getElementById(id)?.textContent),
      ...[...(element.labels ?? [])].map((label) => label.textContent),
      element.matches("a, button") ? element.textContent : "",
    ];
    if (names.every((name) => !name?.trim())) say("has no name", element);
  }

  for (const attribute of ["aria-labelledby", "aria-describedby", "for"])
    for (const element of document.querySelectorAll(`[${attribute}]`))
      for (const id of element.getAttribute(attribute).split(" "))
        if (document.getElementById(id) === null) say(`${attribute} leads nowhere`, element);
  const ids = [...document.querySelectorAll("[id]")].map(({ id }) => id);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) complaints.push(`two have the id ${id}`);

  if (document.documentElement.lang === "") complaints.push("the page has no language");
  if (document.title === "") complaints.push("the page has no title");
  if (document.querySelectorAll("main").length !== 1) complaints.push("there is not one main");
  if (document.querySelectorAll("h1").length !== 1) complaints.push("there is not one h1");
  let level = 1;
  for (const heading of document.querySelectorAll("main :is(h1, h2, h3, h4)")) {
    const its = Number(heading.tagName[1]);
    if (its > level + 1) say("heading skips a level", heading);
    level = its;
  }
  for (const element of all("[tabindex]")) if (element.tabIndex > 0) say("comes before its turn", element);

  const channel = (value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  const parse = (text) => {
    const [red = 0, green = 0, blue = 0, alpha = 1] = (text.match(/[\d.]+/g) ?? []).map(Number);
    return { rgb: [red / 255, green / 255, blue / 255], alpha };
  };
  const luminance = ([red, green, blue]) =>
    0.2126 * channel(red) + 0.7152 * channel(green) + 0.0722 * channel(blue);
  const backgroundOf = (element) => {
    const isSvg = element instanceof SVGElement;
    const box = isSvg ? element.parentElement?.querySelector("rect") : null;
    if (box) return parse(getComputedStyle(box).fill).rgb;
    for (let each = element; each !== null; each = each.parentElement) {
      const { rgb, alpha } = parse(getComputedStyle(each).backgroundColor);
      const isPainted = getComputedStyle(each).backgroundColor !== "rgba(0, 0, 0, 0)";
      if (isPainted && alpha === 1) return rgb;
    }
    return [1, 1, 1];
  };
  let judged = 0;
  for (const element of document.body.querySelectorAll("*")) {
    const hasText = [...element.childNodes].some(
      (node) => node.nodeType === 3 && node.textContent.trim() !== "",
    );
    if (!hasText || !isSeen(element) || element.closest("noscript, :disabled")) continue;
    judged += 1;
    const style = getComputedStyle(element);
    const ink = luminance(parse(element instanceof SVGElement ? style.fill : style.color).rgb);
    const paper = luminance(backgroundOf(element));
    const contrast = (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
    const size = Number.parseFloat(style.fontSize);
    const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (contrast < (isLarge ? 3 : 4.5)) say(`contrast of ${contrast.toFixed(2)}`, element);
  }
  if (judged < 5) complaints.push(`only ${judged} texts were judged`);

  const { scrollWidth } = document.documentElement;
  if (scrollWidth > innerWidth) {
    const widest = all("body *").filter((element) => element.getBoundingClientRect().right > innerWidth + 1);
    complaints.push(`${scrollWidth} wide in a window of ${innerWidth}`);
    for (const element of widest.slice(0, 3)) say("too wide", element);
  }
  for (const element of all("body *")) {
    const { overflowX } = getComputedStyle(element);
    const isScrolled = overflowX === "auto" || overflowX === "scroll";
    if (isScrolled && element.scrollWidth > element.clientWidth) say("scrolls sideways", element);
  }
  for (const table of all("table")) {
    const panel = table.closest("section");
    const inside =
      panel.getBoundingClientRect().right - Number.parseFloat(getComputedStyle(panel).paddingRight);
    if (table.getBoundingClientRect().right > inside) say("leaves its panel", table);
  }
  for (const rect of all("svg rect")) {
    const box = rect.getBoundingClientRect();
    const picture = rect.ownerSVGElement.getBoundingClientRect();
    const border = Number.parseFloat(getComputedStyle(rect).strokeWidth) / 2;
    const isWhole = box.left - border >= picture.left && box.right + border <= picture.right;
    if (!isWhole) say("is cut off", rect);
  }
  return complaints;
})();
