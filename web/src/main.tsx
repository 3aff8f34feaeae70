import { render } from "preact";
import { App } from "./app.tsx";
import { takeTokenFromAddress } from "./client/token.ts";
import "uplot/dist/uPlot.min.css";
import "./style/base.css";
import "./style/panels.css";
import "./style/controls.css";
import "./style/shell.css";
import "./style/overview.css";
import "./style/picture.css";
import "./style/sessions.css";
import "./style/session.css";

takeTokenFromAddress();
const place = document.getElementById("page");
if (place !== null) render(<App />, place);
