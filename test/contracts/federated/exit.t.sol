// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {FederatedState, IFederated, PanelStatus, Standing} from "../../../contracts/interfaces/IFederated.sol";
import {FederatedEnd} from "../support/FederatedEnd.sol";

/// @notice From every situation, with every subset of the parties silent, a federated job ends in bounded time, every
/// stake is free or slashed, and all money is owed to somebody. See exit.tree.
contract FederatedExitTest is FederatedEnd {
    enum Situation {
        Enlisting,
        Enlisted,
        Drawing,
        Running,
        RunningWithoutSeats,
        Stopping,
        Challenged,
        Empanelled,
        Committed,
        Ended,
        Struck,
        Appealed,
        AppealEmpanelled,
        Refunding,
        RefundAppealed,
        RefundDisputed
    }

    /// The parties that still act. Anyone can make the calls that are anyone's.
    struct Active {
        bool requester;
        bool providers;
        bool seats;
        bool panel;
    }

    uint256 private constant MOST_STEPS = 60;
    /// Most windows, the longer kind, from any situation until every stake can be released.
    uint256 private constant MOST_WINDOWS = 10;

    function test_FromEnlisting() public {
        _leaveFrom(Situation.Enlisting);
    }

    function test_FromEnlisted() public {
        _leaveFrom(Situation.Enlisted);
    }

    function test_FromDrawing() public {
        _leaveFrom(Situation.Drawing);
    }

    function test_FromRunning() public {
        _leaveFrom(Situation.Running);
    }

    function test_FromRunningWithoutSeats() public {
        _leaveFrom(Situation.RunningWithoutSeats);
    }

    function test_FromStopping() public {
        _leaveFrom(Situation.Stopping);
    }

    function test_FromChallenged() public {
        _leaveFrom(Situation.Challenged);
    }

    function test_FromEmpanelled() public {
        _leaveFrom(Situation.Empanelled);
    }

    function test_FromCommitted() public {
        _leaveFrom(Situation.Committed);
    }

    function test_FromEnded() public {
        _leaveFrom(Situation.Ended);
    }

    function test_FromStruck() public {
        _leaveFrom(Situation.Struck);
    }

    function test_FromAppealed() public {
        _leaveFrom(Situation.Appealed);
    }

    function test_FromAppealEmpanelled() public {
        _leaveFrom(Situation.AppealEmpanelled);
    }

    function test_FromRefunding() public {
        _leaveFrom(Situation.Refunding);
    }

    function test_FromRefundAppealed() public {
        _leaveFrom(Situation.RefundAppealed);
    }

    function test_FromRefundDisputed() public {
        _leaveFrom(Situation.RefundDisputed);
    }

    function _leaveFrom(Situation situation) private {
        for (uint256 mask = 0; mask < 16; ++mask) {
            uint256 snapshot = vm.snapshotState();
            _leave(situation, Active(mask & 1 != 0, mask & 2 != 0, mask & 4 != 0, mask & 8 != 0));
            vm.revertToState(snapshot);
        }
    }

    function _leave(Situation situation, Active memory active) private {
        IFederated.Terms memory terms = _bring(situation);
        uint256 start = vm.getBlockTimestamp();
        for (uint256 i = 0; i < MOST_STEPS && !isOver(terms); ++i) {
            if (!_act(terms, active)) asAnyone(terms);
        }
        assertTrue(isOver(terms), "over");
        assertTrue(vm.getBlockTimestamp() - start <= MOST_WINDOWS * (ROUND + 1), "in bounded time");
        _checkMoney(terms);
    }

    function _bring(Situation situation) private returns (IFederated.Terms memory terms) {
        if (situation == Situation.RunningWithoutSeats) {
            terms = run(0);
            assertAll(terms);
            return terms;
        }
        if (situation >= Situation.Refunding) return _bringRefunding(situation);
        if (situation >= Situation.Running) terms = run(3);
        else post(terms = federatedTerms(3));
        if (situation == Situation.Enlisting) enlist(terms, providers[0]);
        if (situation == Situation.Enlisted || situation == Situation.Drawing) enlistAll(terms);
        if (situation == Situation.Drawing) begin(terms);
        if (situation == Situation.Stopping) _stop(terms);
        if (situation <= Situation.Stopping) return terms;
        close(terms);
        if (situation == Situation.Ended) {
            _stop(terms);
            close(terms);
        } else if (situation >= Situation.Struck) {
            strike(terms, providers[0]);
            if (situation == Situation.Struck) return terms;
            appeal(terms, providers[0]);
            if (situation == Situation.AppealEmpanelled) empanel(terms, providers[0]);
        } else {
            challenge(terms, providers[1], 1);
            if (situation == Situation.Challenged) return terms;
            empanel(terms, address(0));
            if (situation == Situation.Committed) commitFindings(terms, address(0), "found");
        }
    }

    /// @dev Two of four providers are struck.
    function _bringRefunding(Situation situation) private returns (IFederated.Terms memory terms) {
        terms = runRefunding(3);
        close(terms);
        if (situation == Situation.RefundDisputed) challenge(terms, providers[1], 1);
        strike(terms, providers[0]);
        strike(terms, providers[3]);
        if (situation == Situation.RefundAppealed) appeal(terms, providers[0]);
    }

    /// @dev What the active parties do next; false where none has anything to do.
    function _act(IFederated.Terms memory terms, Active memory active) private returns (bool) {
        FederatedState state = stateOf(terms);
        IFederated.Job memory job = jobOf(terms);
        bool inTime = vm.getBlockTimestamp() <= job.deadline;
        if (active.panel && (_panelActs(terms, address(0)) || _panelActs(terms, providers[0]))) return true;
        if (state == FederatedState.Enlisting && active.requester && inTime && job.enlisted >= terms.least) {
            begin(terms);
            return true;
        }
        if (state == FederatedState.Drawing && active.requester && inTime) {
            seat(terms);
            return true;
        }
        bool closes = job.seated == 0 ? active.requester : active.seats;
        bool signers = job.seated == 0 || standingOf(terms, seatsOf(terms)[0]) == Standing.Seated;
        if (state == FederatedState.Running && closes && signers && inTime) {
            close(terms);
            return true;
        }
        bool struck = standingOf(terms, providers[0]) == Standing.Struck
            && vm.getBlockTimestamp() <= federation.accountOf(federation.jobIdOf(terms), providers[0]).appealBy;
        if (active.providers && struck) {
            appeal(terms, providers[0]);
            return true;
        }
        return false;
    }

    function _panelActs(IFederated.Terms memory terms, address provider) private returns (bool acted) {
        IFederated.Dispute memory dispute = disputeOf(terms, provider);
        if (dispute.challenger == address(0) || dispute.drawBlock != 0) return false;
        if (vm.getBlockTimestamp() > dispute.deadline) return false;
        bytes32 id = federation.jobIdOf(terms);
        for (uint256 i = 0; i < dispute.panel.length; ++i) {
            address who = dispute.panel[i];
            PanelStatus status = federation.panelSeatOf(id, provider, who);
            if (status == PanelStatus.Drawn) {
                commitFinding(terms, provider, who, "found");
                acted = true;
            } else if (status == PanelStatus.Committed && dispute.committed == dispute.panel.length) {
                vm.prank(who);
                federation.revealFinding(terms, provider, "found", "salt");
                acted = true;
            }
        }
    }

    function _stop(IFederated.Terms memory terms) private {
        vm.prank(requester);
        federation.stop(terms);
    }

    /// @dev Nothing is locked, and all that the contract holds is owed to somebody.
    function _checkMoney(IFederated.Terms memory terms) private view {
        uint256 owed = owedTo(requester) + owedTo(address(0));
        for (uint256 i = 0; i < PROVIDERS; ++i) {
            owed += owedTo(providers[i]);
            assertEq(registry.offerOf(providers[i]).lockedStake, 0, "a provider's stake is free");
        }
        for (uint256 i = 0; i < accounts.length; ++i) {
            owed += owedTo(accounts[i]);
            assertEq(registry.offerOf(accounts[i]).lockedStake, 0, "a validator's stake is free");
        }
        assertEq(address(federation).balance, owed, "all money is owed");
        IFederated.Job memory job = jobOf(terms);
        assertEq(
            federation.paidOf(federation.jobIdOf(terms)),
            job.closed * (terms.roundPrice + uint256(job.seated) * terms.seatFee),
            "closed rounds are paid"
        );
    }
}
