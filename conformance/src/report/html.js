"use strict";
for (const button of document.querySelectorAll("button.copy")) {
  const command = button.nextElementSibling;
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(command.textContent);
    } catch {
      getSelection().selectAllChildren(command);
      document.execCommand("copy");
    }
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  });
}
for (const field of document.querySelectorAll("input.find")) {
  field.parentElement.hidden = false;
  field.addEventListener("input", () => {
    const text = field.value.toLowerCase();
    for (const one of document.querySelectorAll("[data-operation]")) {
      one.hidden = !one.dataset.operation.toLowerCase().includes(text);
    }
  });
}
