"""ROS 2 node that publishes what a mar-edge sender sends: JSON in std_msgs/String, a topic for each kind of message.

Topics do not name the stream; the JSON does. So they exist before the first message, and nobody misses it who
subscribed in time.
"""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import rclpy
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from std_msgs.msg import String

from mar_edge import LabelSubscriber, MarEdgeError
from mar_edge.cli.options.publishing import ADDRESS, ClientAccess
from mar_edge.streaming.operations.stop_signals import StopSignals
from mar_edge.streaming.wire.display import notice_line

# Messages that a topic keeps for a slow subscriber.
_QUEUE = 100


def publish(node: Node, stop: StopSignals) -> None:
    """Publish messages until a signal comes. No sender is needed.

    Raises:
        MarEdgeError: a parameter is wrong, or the sender speaks another version.
    """
    connect = node.declare_parameter("connect", ADDRESS).value
    stream = node.declare_parameter("stream", "").value
    kinds = node.declare_parameter("kinds", ["event", "skeleton"]).value
    prefix = node.declare_parameter("prefix", "mar_edge").value
    key = node.declare_parameter("key", "").value
    server_key = node.declare_parameter("server_key", "").value
    access = ClientAccess(Path(key) if key else None, Path(server_key) if server_key else None)
    log = node.get_logger()

    def attend() -> bool:
        rclpy.spin_once(node, timeout_sec=0.0)  # answers questions about parameters
        return stop.reason is not None

    with LabelSubscriber(
        connect,
        stream or None,
        kinds,
        timeout_s=0.1,
        keys=access.keys(),
        on_notice=lambda notice: log.warning(notice_line(notice)),
    ) as subscriber:
        publishers = {kind: node.create_publisher(String, f"{prefix}/{kind}", _QUEUE) for kind in kinds}
        log.info(f"messages of {connect} at {', '.join(f'{prefix}/{kind}' for kind in kinds)}")
        for message in subscriber.until(attend):
            publishers[message.kind].publish(String(data=msgspec.json.encode(message).decode()))


def main() -> int:
    """Run the node. Return its exit status: 1 if a parameter is wrong."""
    # With the handlers of rclpy, a signal would take the context away in the middle of a publication.
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    node = Node("mar_edge")
    try:
        with StopSignals() as stop:
            publish(node, stop)
    except MarEdgeError as error:
        node.get_logger().fatal(str(error))
        return 1
    finally:
        node.destroy_node()
        rclpy.shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
