/** Colours follow the original's pastel ones (messaging spec 7.3); fonts are those of the machine. */
export const PAGE_STYLE = `
:root {
  --ground: #16181d; --panel: #1e2128; --edge: #30343e; --text: #d3d7de; --dim: #8b93a1; --accent: #a8d8ea;
  --debug: #7d8797; --info: #8fc7a4; --warning: #f0c674; --error: #ff8f8a; --critical: #ff5c7a;
}
* { box-sizing: border-box; }
html, body { height: 100%; margin: 0; }
body { display: flex; flex-direction: column; background: var(--ground); color: var(--text); font: 14px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
[hidden] { display: none !important; }
header { display: flex; flex-wrap: wrap; align-items: center; gap: 8px 14px; padding: 10px 16px; background: var(--panel); border-bottom: 1px solid var(--edge); }
h1 { margin: 0; font-size: 16px; font-weight: 600; letter-spacing: .01em; white-space: nowrap; }
#status { display: inline-flex; align-items: center; gap: 6px; color: var(--dim); font-size: 12px; white-space: nowrap; }
#status::before { content: ""; width: 8px; height: 8px; border-radius: 50%; background: var(--info); }
#status[data-state="waiting"]::before { background: var(--warning); }
#status[data-state="refused"]::before { background: var(--error); }
.controls { display: flex; flex: 1 1 480px; flex-wrap: wrap; align-items: center; justify-content: flex-end; gap: 8px; }
select, input, button { height: 32px; padding: 0 10px; border: 1px solid var(--edge); border-radius: 6px; background: var(--ground); color: var(--text); font: inherit; font-size: 13px; }
select { padding-right: 4px; }
button { display: inline-flex; align-items: center; gap: 6px; cursor: pointer; white-space: nowrap; }
button:hover, select:hover { border-color: #4a505e; background: #22262e; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
main:focus-visible { outline: none; }
button svg { width: 15px; height: 15px; fill: none; stroke: currentColor; stroke-width: 1.8; stroke-linecap: round; stroke-linejoin: round; }
#follow-button { min-width: 96px; justify-content: center; }
#follow-button[aria-pressed="true"] { border-color: #3f6b58; background: #1f332b; color: #b8e6cb; }
#filter { flex: 1 1 160px; min-width: 120px; max-width: 320px; }
#filter::placeholder { color: #737b89; }
#count { min-width: 7ch; color: var(--dim); font-size: 12px; font-variant-numeric: tabular-nums; white-space: nowrap; }
main { flex: 1; min-height: 0; overflow-y: auto; overscroll-behavior: contain; scrollbar-color: #3c424e transparent; }
.log-container { margin: 0; padding: 6px 0 24px; font: 13px/1.55 ui-monospace, "Cascadia Mono", "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; tab-size: 4; }
.line { padding: 1px 16px 1px 13px; border-left: 3px solid transparent; white-space: pre-wrap; overflow-wrap: anywhere; }
.line:hover { background: #1f232b; }
.line.off { display: none; }
.l-WARNING { border-left-color: var(--warning); }
.l-ERROR { border-left-color: var(--error); background: #241c20; }
.l-CRITICAL { border-left-color: var(--critical); background: #2f1a22; }
.l-DEBUG { color: #a3abb8; }
.t-time { color: var(--dim); }
.t-level { font-weight: 600; }
.l-DEBUG .t-level { color: var(--debug); } .l-INFO .t-level { color: var(--info); } .l-WARNING .t-level { color: var(--warning); }
.l-ERROR .t-level { color: var(--error); } .l-CRITICAL .t-level { color: var(--critical); }
.t-success { color: #baffc9; } .t-failure { color: #ffb3ba; } .t-pending { color: #ffdfba; } .t-response { color: #ffffba; }
.t-quoted { color: #bdc7e7; } .t-literal { color: #d5db9c; } .t-code { color: #a8d8ea; } .t-rule { color: #545b69; }
.t-url { word-break: break-all; color: #e2a8a8; text-decoration: underline; text-decoration-color: #e2a8a855; text-underline-offset: 3px; }
.t-uuid, .t-hash, .t-txid, .t-pastelid, .t-address { word-break: break-all; border-radius: 3px; cursor: pointer; }
.t-uuid { color: #9fd9cc; } .t-hash { color: #e5d9a8; } .t-txid { color: #f2b98f; } .t-pastelid { color: #c9b6f2; } .t-address { color: #8fcdf0; }
.t-uuid:hover, .t-hash:hover, .t-txid:hover, .t-pastelid:hover, .t-address:hover { background: #343a46; }
#truncated, #empty, noscript p { margin: 0; padding: 14px 16px; color: var(--dim); }
#truncated { border-bottom: 1px dashed var(--edge); font-size: 12px; }
#empty { padding-top: 18vh; text-align: center; }
#newer-button { position: fixed; right: 24px; bottom: 20px; height: 36px; padding: 0 16px; border-color: #3f6b58; border-radius: 18px; background: #1f332b; color: #b8e6cb; box-shadow: 0 4px 16px #0008; }
@media (max-width: 640px) {
  header { padding: 8px 10px; gap: 8px; }
  h1 { flex: 1; }
  .controls { flex: 1 1 100%; justify-content: flex-start; gap: 6px; }
  select { flex: 1 1 40%; }
  #filter { flex: 1 1 100%; max-width: none; order: -1; font-size: 16px; }
  #count { order: 1; flex: 1; min-width: 0; text-align: right; }
  #copy-button span, #download-button span { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .log-container { font-size: 12px; }
  .line { padding: 3px 10px 3px 7px; }
}
@media print { header, #newer-button { display: none; } main { overflow: visible; } }
`;
