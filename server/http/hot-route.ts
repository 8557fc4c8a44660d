import type { Access, AccessControl } from "./access.ts";
import { type BodyOptions, readJson } from "./body.ts";
import type { App, RouteContext } from "./route.ts";

type Answer = Response | Promise<Response>;

/**
 * `POST` of a JSON body without middleware: the caller's access, then the body, each waited for only when it is not at hand, so
 * that the answer can be written in the turn in which the body arrived (docs/decisions/0030-two-apps.md).
 */
export function hotPost(
  hot: App,
  path: string,
  access: AccessControl,
  answer: (c: RouteContext, body: unknown, entered: Access) => Answer,
  options: BodyOptions = {},
): void {
  const read = (c: RouteContext, entered: Access): Answer => {
    const body = readJson(c, options);
    return body instanceof Promise ? body.then((parsed) => answer(c, parsed, entered)) : answer(c, body, entered);
  };
  hot.post(path, (c): Answer => {
    const entered = access.of(c);
    return entered instanceof Promise ? entered.then((known) => read(c, known)) : read(c, entered);
  });
}
