// The plain page of a picture, where it was reached by a reload while the viewer was open: to the browser it is still the
// same document as the grid, so Back would change the address and nothing else.

export function attach() {
  addEventListener("popstate", () => location.reload());
}
