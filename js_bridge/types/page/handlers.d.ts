export type About = import("../messages.js").About;
export type OnDrop = import("../messages.js").OnDrop;
export type PeerState = import("../messages.js").PeerState;
export type Phase = import("../messages.js").Phase;
export type LinkState = import("./connection.js").LinkState;
export type Player = import("./socket.js").Player;
export type ConnectionOptions = {
    room: string;
    playerId: string;
    /**
     * it fills its parent as far as the picture's proportions allow
     */
    canvas: HTMLCanvasElement;
    /**
     * address of the server; default: the page's own
     */
    server?: string;
    /**
     * a worker that was made before, and told to `prepare` what it will need
     */
    early?: import("./early.js").Early;
    /**
     * what is played comes from a static folder, which names its server
     */
    bundle?: import("./bundle.js").Bundle;
    /**
     * let the page hand all packets on to the worker; default: only where it has to
     */
    proxyChannels?: boolean;
    /**
     * join as a spectator, who sees the match and has no part in it
     */
    watch?: boolean;
    /**
     * "relay": connect through TURN servers only; default: as the
     * server says
     */
    iceTransportPolicy?: RTCIceTransportPolicy;
};
/**
 * called when something changed that a person may want to see; all may be left out
 */
export type Handlers = {
    /**
     * `error`, `outcome` and `detail` of the connection are set by then
     */
    onPhase?: (phase: Phase) => void;
    /**
     * fraction from 0 to 1
     */
    onProgress?: (progress: {
        fraction: number;
        label: string;
    }) => void;
    /**
     * the page has its place; whether the match goes on already
     */
    onJoined?: (running: boolean) => void;
    /**
     * the experiment has been opened
     */
    onAbout?: (about: About) => void;
    /**
     * who is in the room, and how many it takes
     */
    onPlayers?: (players: Player[], count: number) => void;
    /**
     * all wait for these, whose pages are hidden; none: no more
     */
    onPaused?: (players: readonly string[]) => void;
    /**
     * by the other pages' indices
     */
    onLinks?: (links: ReadonlyMap<number, LinkState>) => void;
    /**
     * what the match knows
     * of the other players, and what it does while one is gone
     */
    onPeers?: (peers: ReadonlyMap<number, PeerState["state"]>, onDrop: OnDrop) => void;
    /**
     * this page came late: how far it is, from 0 to 1; null: it
     * is with the others
     */
    onCatchingUp?: (share: number | null) => void;
    /**
     * the others went on without this page, which is about to be loaded again
     */
    onRejoin?: () => void;
    /**
     * the line to the server, once the match has begun
     */
    onLine?: (line: "open" | "lost" | "closed") => void;
    /**
     * something could not be drawn
     */
    onWarning?: (text: string) => void;
};
