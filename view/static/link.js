// The WebSocket to the server, which reconnects when it is lost. Knows nothing of the content of messages.

const FIRST_MS = 400;
const MOST_MS = 5000;
// The server sends something each second.
const SILENT_MS = 5000;

export class Link {
  // on: {open(), documents(array), picture(head, bytes), lost(why)}
  constructor(on) {
    this.on = on;
    this.pause = FIRST_MS;
    this.timer = 0;
    this.receivedAt = 0;
    setInterval(() => this.watch(), 1000);
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden && !this.socket) this.retry(0);
    });
    this.connect();
  }

  connect() {
    const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/feed`);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    this.receivedAt = performance.now();
    let opened = false;
    socket.onopen = () => {
      opened = true;
      this.on.open();
    };
    socket.onmessage = ({ data }) => {
      this.receivedAt = performance.now();
      this.pause = FIRST_MS;
      if (typeof data === "string") this.on.documents(JSON.parse(data));
      else this.picture(data);
    };
    socket.onclose = () => {
      if (this.socket !== socket) return;
      this.socket = null;
      if (opened) this.on.lost("");
      else this.ask();
      this.retry(this.pause * (0.8 + 0.4 * Math.random()));
      this.pause = Math.min(this.pause * 1.6, MOST_MS);
    };
  }

  picture(data) {
    const bytes = new Uint8Array(data);
    const end = bytes.indexOf(10);
    this.on.picture(JSON.parse(new TextDecoder().decode(bytes.subarray(0, end))), bytes.subarray(end + 1));
  }

  // A browser does not report why a WebSocket was refused, but it does for a document.
  async ask() {
    try {
      const answer = await fetch("/setup", { cache: "no-store" });
      this.on.lost(answer.ok ? "" : (await answer.text()).trim());
    } catch {
      this.on.lost("");
    }
  }

  retry(after) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.connect(), after);
  }

  watch() {
    if (this.socket && performance.now() - this.receivedAt > SILENT_MS) this.socket.close();
  }
}
