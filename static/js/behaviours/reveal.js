// Lets a password be looked at while it is typed.

export { attach } from "../lib/base/reveal.js";
