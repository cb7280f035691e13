/** How the pictures look, by day and by night. Nothing is loaded from anywhere. */
const day = `--back:#fff;--panel:#f6f8fa;--text:#1f2328;--muted:#59636e;--grid:#d8dee4;--green:#2da44e;--orange:#bc6c07;--red:#cf222e;--blue:#0969da;--violet:#8250df;--grey:#a5aeb8;--down:#ff8182`;
const night = `--back:#0d1117;--panel:#161b22;--text:#e6edf3;--muted:#9198a1;--grid:#2a3038;--green:#3fb950;--orange:#e3892b;--red:#ff6a62;--blue:#58a6ff;--violet:#bc8cff;--grey:#6e7681;--down:#b62324`;

export const colours = `:root{color-scheme:light dark;${day}}@media (prefers-color-scheme:dark){:root{${night}}}`;

export const pictureStyle = `
svg{font:11.5px ui-sans-serif,system-ui,"Segoe UI","Liberation Sans",Arial,sans-serif;fill:var(--text)}
.back{fill:var(--back)}.title{font-weight:600;font-size:13px}.head{font-weight:600;font-size:18px}.muted{fill:var(--muted)}
.grid{stroke:var(--grid)}.day{stroke:var(--grey)}.leader{stroke:var(--muted);stroke-width:.7}
.polling{fill:var(--green)}.standby{fill:var(--blue)}.hindered{fill:var(--orange)}.changing{fill:var(--grey)}
.down{fill:var(--down)}.uncertain{fill:url(#doubt)}.doubt{stroke:var(--red);stroke-width:3}
.mark{stroke:var(--back);stroke-width:1}.mark.fine{fill:var(--muted)}.mark.cut{fill:var(--orange)}.mark.bad,.mark.killed{fill:var(--red)}
.note{font-weight:600;paint-order:stroke;stroke:var(--back);stroke-width:4px;stroke-linejoin:round}.note.bad{fill:var(--red)}.note.cut,.note.hindered{fill:var(--orange)}
.curve{fill:none;stroke-width:1.6;stroke-linecap:round;stroke-linejoin:round}
.curve.dot{stroke-width:5}.curve.median{stroke:var(--blue)}.curve.p99{stroke:var(--violet)}.curve.p99:not(.dot),.curve.handled:not(.dot){stroke-width:1}
.key.median{fill:var(--blue)}.key.p99{fill:var(--violet)}.key.failures{fill:var(--red)}
.curve.waiting{stroke:var(--orange)}.area.waiting{fill:var(--orange);fill-opacity:.25}
.curve.handled{stroke:var(--blue)}.area.handled{fill:var(--blue);fill-opacity:.2}
.curve.failures{stroke:var(--red)}.curve.failures.dot{stroke-width:3}.area.failures{fill:var(--red);fill-opacity:.5}
.step.done{fill:var(--green)}.step.cut,.step.failed{fill:var(--red)}.step.whole{fill:var(--grey)}.step.called-off{fill:var(--orange)}
.words.inside{fill:var(--back);font-weight:600}.words.beside{paint-order:stroke;stroke:var(--back);stroke-width:4px}.words.beside.cut,.words.beside.failed{fill:var(--red);font-weight:600}.limit{stroke:var(--red);stroke-width:1.5}
.budget{stroke:var(--red);stroke-width:2;stroke-dasharray:5 3}`;

export const pageStyle = `
body{margin:0 auto;max-width:1160px;padding:24px 20px 48px;background:var(--back);color:var(--text);font:15px/1.45 ui-sans-serif,system-ui,"Segoe UI","Liberation Sans",Arial,sans-serif}
h1{font-size:24px;margin:0 0 2px}h2{font-size:17px;margin:28px 0 8px}p{margin:0 0 8px}.sub{color:var(--muted)}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(165px,1fr));gap:10px;margin:16px 0 20px}
.tile{background:var(--panel);border-left:5px solid var(--grey);border-radius:6px;padding:9px 13px}
.tile b{display:block;font-size:21px;line-height:1.25}.tile span{color:var(--muted);font-size:13px}
.tile.good{border-color:var(--green)}.tile.warn{border-color:var(--orange)}.tile.wrong{border-color:var(--red)}.tile.wrong b{color:var(--red)}
svg{display:block;width:100%;height:auto}
table{border-collapse:collapse;width:100%;font-size:14px;font-variant-numeric:tabular-nums}
th{text-align:left;color:var(--muted);font-weight:600}th,td{padding:5px 12px 5px 0;border-bottom:1px solid var(--grid);vertical-align:top}
td.number,th.number{text-align:right}td:last-child{width:55%}tr.bad td:last-child{color:var(--red);font-weight:600}tr.cut td:last-child{color:var(--orange);font-weight:600}
td small{display:block;color:var(--muted);font-weight:400}details{margin:8px 0}summary{cursor:pointer}`;
