import { render } from 'preact'
import { App } from './view/app.tsx'
import { Watcher } from './watcher.ts'

/** The token that the printed URL carries in its fragment, which no server sees. */
function tokenOfUrl(): string {
  return new URLSearchParams(location.hash.slice(1)).get('token') ?? ''
}

const watcher = new Watcher(tokenOfUrl())
addEventListener('hashchange', () => watcher.useToken(tokenOfUrl()))
document.addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'hidden') watcher.pause()
  else watcher.lookNow()
})
const place = document.querySelector('#page')
if (place === null) throw new Error('the document has no place for the page')
place.replaceChildren()
render(<App watcher={watcher} />, place)
watcher.lookNow()
