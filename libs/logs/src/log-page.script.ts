/**
 * What runs in the browser. Lines come as pieces `[kind, text]` and become text nodes; no text is ever read as HTML. Follows the end
 * unless the reader scrolled up, and again 10 s after they came back to it (messaging spec 7.2). Keeps 5,000 lines at most.
 */
export const PAGE_SCRIPT = String.raw`
'use strict';
(() => {
  const POLL_MS = 1000, POLL_MS_MAX = 15000, RESUME_MS = 10000, LINES_MAX = 5000, AT_END_PX = 24;
  const RANK = { DEBUG: 0, INFO: 1, WARNING: 2, ERROR: 3, CRITICAL: 3 };
  const IDS = ['uuid', 'hash', 'txid', 'pastelid', 'address'];
  const byId = (id) => document.getElementById(id);
  const [scroller, log, filter, level, span, count, empty] =
    ['scroller', 'log-container', 'filter', 'level', 'span', 'count', 'empty'].map(byId);
  const [status, follow, newer] = ['status', 'follow-button', 'newer-button'].map(byId);
  const first = JSON.parse(byId('first').textContent);
  const base = location.pathname.replace(/show_logs.*$/, '');
  let position = first.last_position, following = true, unseen = 0, shown = 0, lastLevel = 'INFO', resume = 0, pause = POLL_MS;

  const say = (state, text) => { status.dataset.state = state; status.textContent = text; };
  const wanted = (line) =>
    RANK[line.dataset.level] >= Number(level.value) &&
    (filter.value === '' || line.textContent.toLowerCase().includes(filter.value.toLowerCase()));
  const atEnd = () => scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight <= AT_END_PX;
  const visible = () => [...log.children].filter((line) => !line.classList.contains('off'));
  const shownText = () => visible().map((line) => line.textContent).join('\n') + '\n';

  function render({ level: name, tokens }) {
    lastLevel = name in RANK ? name : lastLevel;
    const line = document.createElement('div');
    line.className = 'line l-' + lastLevel;
    line.dataset.level = lastLevel;
    for (const [kind, text] of tokens) {
      if (kind === 'text') { line.append(text); continue; }
      const piece = document.createElement('span');
      piece.className = 't-' + kind;
      piece.textContent = text;
      if (IDS.includes(kind)) piece.title = 'Click: show only lines with this';
      line.append(piece);
    }
    return line;
  }

  function add(lines) {
    const fragment = document.createDocumentFragment();
    let added = 0;
    for (const entry of lines.slice(-LINES_MAX)) {
      const line = render(entry);
      if (wanted(line)) added += 1; else line.classList.add('off');
      fragment.append(line);
    }
    log.append(fragment);
    shown += added;
    while (log.childElementCount > LINES_MAX) {
      if (!log.firstElementChild.classList.contains('off')) shown -= 1;
      log.firstElementChild.remove();
    }
    if (!following) unseen += added;
    refresh();
  }

  function refresh() {
    const all = log.childElementCount;
    count.textContent = shown === all ? all + ' lines' : shown + ' of ' + all + ' lines';
    empty.hidden = shown > 0;
    empty.textContent = all > 0 ? 'No line matches the filter.' : 'Nothing was logged in this time. New lines appear here by themselves.';
    newer.hidden = following || unseen === 0;
    newer.textContent = '\u2193 ' + unseen + (unseen === 1 ? ' new line' : ' new lines');
    follow.setAttribute('aria-pressed', String(following));
    follow.textContent = following ? 'Following' : 'Paused';
    if (following) scroller.scrollTop = scroller.scrollHeight;
  }

  function setFollowing(on) {
    clearTimeout(resume);
    resume = 0;
    following = on;
    if (on) unseen = 0;
    refresh();
  }

  function refilter() {
    shown = 0;
    for (const line of log.children) if (!line.classList.toggle('off', !wanted(line))) shown += 1;
    refresh();
  }

  async function poll() {
    let wait = POLL_MS;
    try {
      const url = base + 'show_logs_incremental/' + first.minutes + '/' + position + '?form=lines';
      const answer = await fetch(url, { headers: { Accept: 'application/json' }, cache: 'no-store', signal: AbortSignal.timeout(POLL_MS_MAX) });
      if (!answer.ok) throw answer;
      const { lines, last_position, more } = await answer.json();
      position = last_position;
      if (lines.length > 0) add(lines);
      say('live', 'live');
      if (more) wait = 50;
      pause = POLL_MS;
    } catch (problem) {
      wait = pause = Math.min(pause * 2, POLL_MS_MAX);
      if (problem.status === 401) say('refused', 'not allowed any more: reload to sign in');
      else if (problem.status === 429) say('waiting', 'too many requests, waiting');
      else say('waiting', 'no answer, trying again');
    }
    setTimeout(poll, wait);
  }

  scroller.addEventListener('scroll', () => {
    if (!atEnd()) {
      clearTimeout(resume);
      resume = 0;
      if (following) { following = false; refresh(); }
    } else if (!following && resume === 0) {
      unseen = 0;
      newer.hidden = true;
      resume = setTimeout(() => setFollowing(true), RESUME_MS);
    }
  }, { passive: true });
  follow.addEventListener('click', () => setFollowing(!following));
  newer.addEventListener('click', () => setFollowing(true));
  filter.addEventListener('input', refilter);
  level.addEventListener('change', refilter);
  span.addEventListener('change', () => location.assign(base + 'show_logs/' + span.value));
  log.addEventListener('click', ({ target }) => {
    if (!IDS.some((kind) => target.classList.contains('t-' + kind)) || !getSelection().isCollapsed) return;
    filter.value = filter.value === target.textContent ? '' : target.textContent;
    refilter();
  });
  document.addEventListener('keydown', (event) => {
    if (event.key === '/' && document.activeElement !== filter) { event.preventDefault(); filter.focus(); filter.select(); }
    if (event.key === 'Escape' && document.activeElement === filter) { filter.value = ''; refilter(); }
  });

  function flash(button, text) {
    const label = button.querySelector('span');
    const before = button.dataset.label ?? (button.dataset.label = label.textContent);
    label.textContent = text;
    setTimeout(() => { label.textContent = before; }, 1500);
  }
  byId('copy-button').addEventListener('click', async ({ currentTarget }) => {
    const text = shownText();
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Browsers offer the clipboard on https and on this machine only.
      const area = document.createElement('textarea');
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand('copy');
      area.remove();
    }
    flash(currentTarget, 'Copied');
  });
  byId('download-button').addEventListener('click', ({ currentTarget }) => {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([shownText()], { type: 'text/plain' }));
    link.download = 'pastel_supernode_inference_layer_log__' + new Date().toISOString() + '.txt';
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    flash(currentTarget, 'Saved');
  });

  add(first.lines);
  setTimeout(poll, POLL_MS);
})();
`;
