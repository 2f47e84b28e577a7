// One question, two answers, in a native dialog.

import { clone, need } from "./dom.js";

/**
 * @param {{title: string, text: string, confirm: string, danger?: boolean}} question
 * @returns {Promise<boolean>}
 */
export function ask({ title, text, confirm, danger = false }) {
  const dialog = clone("ask");
  if (!(dialog instanceof HTMLDialogElement)) throw new Error("The template ask holds a <dialog>");
  need(dialog, ".dialog__title", HTMLElement).textContent = title;
  need(dialog, ".dialog__text", HTMLElement).textContent = text;
  const yes = need(dialog, "button[value=yes]", HTMLButtonElement);
  yes.textContent = confirm;
  yes.classList.add(danger ? "button--alarm" : "button--primary");
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      resolve(dialog.returnValue === "yes");
      dialog.remove();
    });
  });
}
