// Everything the home page does in the browser, started in one place.
import * as age from "./age.js";
import { startFromPage } from "./clock.js";
import * as dialog from "./dialog.js";
import * as filter from "./filter.js";
import * as live from "./live.js";
import * as panels from "./panels.js";
import * as session from "./session.js";
import * as tabs from "./tabs.js";
import * as ticket from "./ticket.js";
import * as toasts from "./toast.js";
import * as twostep from "./twostep.js";

startFromPage();
for (const part of [age, dialog, filter, session, tabs, ticket, toasts, twostep, panels, live]) part.start();
