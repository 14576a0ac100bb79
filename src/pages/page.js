// Keeps a page up to date while it is looked at, and lets texts be copied. Every page works without it.
'use strict';

const PAUSE = 3000;

// A button beside each text that is made to be copied.
function addCopyButtons(within) {
  for (const pre of within.querySelectorAll('.text > pre')) {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'copy';
    button.textContent = 'Copy';
    pre.after(button);
  }
}

async function copy(button) {
  const pre = button.previousElementSibling;
  try {
    await navigator.clipboard.writeText(pre.textContent);
    button.textContent = 'Copied';
  } catch {
    // Without HTTPS there is no clipboard: the text is selected instead.
    getSelection().selectAllChildren(pre);
    button.textContent = 'Press Ctrl+C';
  }
  setTimeout(() => { button.textContent = 'Copy'; }, 2000);
}

document.addEventListener('click', (event) => {
  const button = event.target.closest('button.copy');
  if (button) copy(button);
});

document.addEventListener('change', (event) => {
  if (event.target.matches('[data-submit]')) event.target.form.submit();
});

// Whether a mouse button, a finger or the space bar is down. If a pressed button or link were replaced, releasing it would click nothing.
let pressed = false;
const press = () => { pressed = true; };
// After the click that the release causes.
const release = () => { setTimeout(() => { pressed = false; }); };

addEventListener('pointerdown', (event) => { if (event.button === 0) press(); }, true);
addEventListener('keydown', (event) => { if (event.key === ' ') press(); }, true);
for (const type of ['pointerup', 'pointercancel', 'keyup']) addEventListener(type, release, true);
// A release in another window is not reported here.
addEventListener('blur', release);

// Something in the page is being used, and must not be replaced under the user's hands.
function isInUse(content) {
  const focused = document.activeElement;
  const selected = getSelection();
  return pressed
    || (content.contains(focused) && focused.matches('input, select, textarea'))
    || (!selected.isCollapsed && content.contains(selected.anchorNode));
}

// Puts `fresh` in the place of `content`, with the same parts opened and scrolled.
function replace(content, fresh) {
  const opened = new Map([...content.querySelectorAll('details[id]')].map((part) => [part.id, part.open]));
  for (const part of fresh.querySelectorAll('details[id]')) {
    if (opened.has(part.id)) part.open = opened.get(part.id);
  }
  const focused = content.contains(document.activeElement) ? document.activeElement : null;
  const place = focused && [...content.querySelectorAll('a, button, summary')].indexOf(focused);
  addCopyButtons(fresh);
  content.replaceWith(fresh);
  if (focused) [...fresh.querySelectorAll('a, button, summary')][place]?.focus({ preventScroll: true });
}

let refreshedAt = new Date();

// Says since when the page is out of date, and why; an empty reason takes the notice away.
function showStale(reason) {
  const notice = document.getElementById('stale');
  if (!reason) refreshedAt = new Date();
  const text = reason && `Out of date since ${refreshedAt.toLocaleTimeString()}: ${reason}.`;
  if (notice.textContent !== text) notice.textContent = text;
  notice.hidden = !reason;
}

async function refresh() {
  const content = document.querySelector('#content[data-live]');
  if (!content) return;
  if (document.visibilityState === 'visible' && !isInUse(content)) {
    try {
      const answer = await fetch(location.href, {
        credentials: 'same-origin', redirect: 'manual', headers: { 'X-Truehook-Refresh': '1' },
      });
      if (answer.type === 'opaqueredirect') {
        location.reload();
        return;
      }
      if (answer.ok) {
        showStale('');
        const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html').querySelector('#content');
        const seen = content.dataset.seen ?? null;
        if (fresh && fresh.innerHTML !== seen && !isInUse(content)) {
          fresh.dataset.seen = fresh.innerHTML;
          replace(content, document.adoptNode(fresh));
        }
      } else {
        showStale(`the server answered ${answer.status}`);
      }
    } catch {
      showStale('the server cannot be reached');
    }
  }
  setTimeout(refresh, PAUSE);
}

addCopyButtons(document);
setTimeout(refresh, PAUSE);
