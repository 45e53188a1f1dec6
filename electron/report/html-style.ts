/** The look of a report's page: the window's tokens, wide on a screen, plain on paper. */
import { colourStyles } from './colours.js';

export const pageStyle = `${colourStyles}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--text);font:14px/1.5 -apple-system,BlinkMacSystemFont,"Segoe UI","Inter","Ubuntu","Cantarell","Noto Sans",system-ui,sans-serif}
main{max-width:1080px;margin:0 auto;padding:32px 20px 64px}
h1{margin:4px 0 6px;font-size:26px;line-height:1.25}
h2{margin:36px 0 12px;font-size:18px;line-height:1.3}
h3{margin:0;font-size:14px;font-weight:600}
p{margin:0 0 8px}
.kind,.quiet,figcaption,caption,.note{color:var(--text-2)}
.kind{font-size:13px}
.question{font-size:16px;max-width:72ch}
.verdicts{display:grid;gap:8px;margin:0;padding:0;list-style:none}
.verdicts li{display:grid;grid-template-columns:150px 1fr;gap:4px 16px;padding:10px 14px;border:1px solid var(--border);border-left:4px solid var(--tone);border-radius:6px;background:var(--surface)}
.verdicts b{color:var(--tone);font-weight:600}
.verdicts small{grid-column:2;color:var(--text-2);font-size:12px}
figure,.table{margin:0 0 16px;padding:14px 16px;border:1px solid var(--border);border-radius:8px;background:var(--surface);break-inside:avoid}
.picture{margin-top:8px;overflow-x:auto}
.picture svg{display:block;max-width:100%;height:auto}
.fold{display:inline-flex;align-items:center;gap:6px;margin-top:8px;color:var(--text-2);font-size:13px;cursor:pointer}
.values{display:none}
.fold:has(:checked)+.values{display:block}
.scroll{overflow-x:auto;margin-top:8px}
table{width:100%;border-collapse:collapse;font-size:13px;font-variant-numeric:tabular-nums lining-nums}
th,td{padding:5px 10px;border-bottom:1px solid var(--border);text-align:left;vertical-align:top}
th{color:var(--text-2);font-weight:500;vertical-align:bottom}
tbody tr:last-child td{border-bottom:0}
.n,td:first-child,td.runs{white-space:nowrap}
.n{text-align:right}
td:first-child{max-width:280px;overflow:hidden;text-overflow:ellipsis}
td small{display:block;color:var(--text-2);font-size:11.5px}
.mark{width:14px;height:14px;margin-right:6px;vertical-align:-2px}
.note{margin:8px 0 0;font-size:13px}
dl{display:grid;grid-template-columns:130px 1fr;gap:6px 16px;margin:0;padding:14px 16px;border:1px solid var(--border);border-radius:8px;background:var(--surface);font-size:13px}
dt{color:var(--text-2)}
dd{margin:0;overflow-wrap:anywhere}
ul.plain{margin:0;padding-left:20px}
ul.plain li{margin-bottom:4px}
pre{margin:8px 0 0;padding:12px;border-radius:6px;background:var(--surface-inset);font:12px/1.45 ui-monospace,"SF Mono","Cascadia Mono",Consolas,"DejaVu Sans Mono",monospace;white-space:pre-wrap;overflow-wrap:anywhere}
footer{margin-top:40px;color:var(--text-2);font-size:12px}
a{color:var(--accent)}
:focus-visible{outline:2px solid var(--focus);outline-offset:2px}
@media (max-width:640px){.verdicts li{grid-template-columns:1fr}.verdicts small{grid-column:1}dl{grid-template-columns:1fr}}
@media print{
@page{margin:16mm 14mm}
body{background:none;font-size:10.5pt}
main{max-width:none;padding:0}
figure,.table,dl,.verdicts li{background:none}
h2,h3,caption{break-after:avoid}
tr,.verdicts li{break-inside:avoid}
.scroll,.picture{overflow:visible}
.long{break-inside:auto}
.fold{display:none}
.values{display:block}
table{font-size:8.5pt}
th,td{padding:3px 6px}
.wide{font-size:7pt}
.wide th,.wide td{padding:3px 4px}
}`;
