/** Starts the page. */
import { render } from 'preact'
import { App } from './app.js'
import './style/base.css'
import './style/parts.css'
import './style/frame.css'
import './style/mesh.css'
import './style/actor.css'
import './style/path.css'
import './style/routing.css'
import './style/log.css'
import './style/access.css'
import './style/databases.css'

const root = document.getElementById('page')
if (root !== null) render(<App />, root)
